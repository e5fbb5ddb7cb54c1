#!/usr/bin/env node
import { processTerminal } from './output/terminal.ts';
import { runPolycast } from './program.ts';

process.exitCode = await runPolycast(process.argv.slice(2), processTerminal());
