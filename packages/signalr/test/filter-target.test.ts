import { describeLaw } from '../../core/test/filter/push-down-law.ts';
import { signalrGroup } from '../src/filter-target.ts';

describeLaw(signalrGroup);
