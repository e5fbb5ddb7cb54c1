/** The page's look, light and dark, on a screen and on paper. */
export const STYLE = `
:root { color-scheme: light dark; --ink:#1c2430; --soft:#5b6675; --faint:#d9dee5; --page:#f6f7f9; --card:#fff; --good:#0f7a4f; --bad:#c02637; --mild:#9a6200;
  --c0:#2563eb; --c1:#d9480f; --c2:#0b8a63; --c3:#c2255c; --c4:#7048e8; --c5:#0c8599; --c6:#66800b; --c7:#8a5a2b; }
@media (prefers-color-scheme: dark) { :root { --ink:#e6e9ee; --soft:#98a3b3; --faint:#2d3643; --page:#12161c; --card:#1a2028; --good:#4ad295; --bad:#ff7b87; --mild:#f2b84b;
  --c0:#6ea8fe; --c1:#ff9a62; --c2:#45d0a0; --c3:#f783ac; --c4:#b197fc; --c5:#4dd4e6; --c6:#c0d860; --c7:#dcae7c; } }
* { box-sizing: border-box }
body { margin:0; background:var(--page); color:var(--ink); font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif }
main { max-width:1080px; margin:0 auto; padding:36px 20px 60px }
h1 { font-size:27px; margin:0 0 4px; letter-spacing:-.01em } h2 { font-size:19px; margin:0 0 4px } h3 { font-size:15px; margin:22px 0 8px }
p { margin:0 0 12px; max-width:76ch } .soft { color:var(--soft) } .small { font-size:13px } p.small { max-width:none }
section { background:var(--card); border:1px solid var(--faint); border-radius:10px; padding:22px 24px; margin-top:20px }
.cards { display:grid; grid-template-columns:repeat(auto-fit,minmax(270px,1fr)); gap:16px; margin-top:20px }
.card { background:var(--card); border:1px solid var(--faint); border-top:4px solid var(--c); border-radius:10px; padding:16px 18px }
.card h2 { font-size:17px } .card dl { display:grid; grid-template-columns:auto 1fr; gap:3px 14px; margin:12px 0 0 } dt { color:var(--soft) } dd { margin:0; text-align:right; font-variant-numeric:tabular-nums }
.scroll { overflow-x:auto; margin:0 -4px; padding:0 4px } table { border-collapse:collapse; width:100%; font-size:14px } caption { text-align:left; color:var(--soft); padding:0 0 6px }
th,td { padding:6px 12px 6px 0; border-bottom:1px solid var(--faint); text-align:left; vertical-align:top } thead th { color:var(--soft); font-weight:600; white-space:nowrap } tbody th { font-weight:600; white-space:nowrap }
.number { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap } tr:last-child > * { border-bottom:0 }
.good { color:var(--good) } .bad { color:var(--bad); font-weight:600 } .mild { color:var(--mild) }
.chart { width:100%; min-width:620px; height:auto; display:block; margin:10px 0 14px; overflow:visible } .chart text { fill:var(--soft); font-size:12.5px; font-family:inherit } .chart .axis { font-size:13px }
.grid line { stroke:var(--faint); stroke-width:1 }
.series .line { fill:none; stroke:var(--c); stroke-width:2.2; stroke-linejoin:round } .series .halo { fill:none; stroke:transparent; stroke-width:14 } .series circle { fill:var(--c) }
.chart .names text { fill:var(--c); font-weight:600 } .leader { fill:none; stroke:var(--c); stroke-width:1; opacity:.55 }
.chart:has(.series:hover) .series:not(:hover) { opacity:.18 } .series:hover .line { stroke-width:3.2 }
.back { --c:var(--soft) } .back .line { stroke-width:1.1; opacity:.5 } .back circle { r:1.4px; opacity:.5 } .chart .names .back text { font-weight:400; font-size:12px } .leader { stroke-dasharray:2 3 }
.d1 .line { stroke-dasharray:7 4 } .d2 .line { stroke-dasharray:2 4 }
.bar { display:flex; width:120px; height:9px; border-radius:5px; overflow:hidden; background:var(--faint); margin-top:6px } .bar i { display:block } .bar .p { background:var(--good) } .bar .f { background:var(--bad) }
.pill { display:inline-block; padding:0 9px; border-radius:9px; font-size:13px; border:1px solid currentColor } .pill.none { color:var(--soft); border-style:dashed } .pill.native { color:var(--good) } .pill.emulated { color:var(--c0) }
details { margin-top:14px } summary { cursor:pointer; color:var(--soft) } code { font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace }
footer { color:var(--soft); font-size:13px; margin-top:24px }
${Array.from({ length: 8 }, (_, at) => `.c${at} { --c:var(--c${at}) }`).join(' ')}
@media print { body { background:#fff } section,.card { break-inside:avoid } }
`;
