"""The look of the HTML report: one sheet for phone, desk and paper, light and dark. Contrast is at least 4.5 to 1 for words."""

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--sunk:#f4f5f7;--ink:#1c2128;--soft:#57606a;--line:#d5dae1;--link:#0b57a8;
--proven:#a3221c;--probable:#8a4b00;--suspect:#5b4b9a;--unknown:#57606a;--good:#1a6b35;--band:#8aa4c4;--mark:#fff3c4}
@media (prefers-color-scheme:dark){:root{--paper:#14171c;--sunk:#1d2128;--ink:#e7eaee;--soft:#a2abb7;--line:#363c46;--link:#8ebcf5;
--proven:#ff9a92;--probable:#f0b35e;--suspect:#c0b2ff;--unknown:#a2abb7;--good:#7fd09a;--band:#53698a;--mark:#4a3f12}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
main{max-width:56rem;margin:0 auto;padding:1.25rem 1rem 4rem}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2.2rem 0 .7rem}h3{font-size:1.06rem;margin:0 0 .35rem}
h4{font-size:.84rem;margin:1rem 0 .25rem;color:var(--soft);font-weight:600}
p{margin:.3rem 0}a{color:var(--link)}ul,ol{margin:.25rem 0;padding-left:1.35rem}li{margin:.18rem 0}
code,pre{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{background:var(--sunk);border-radius:4px;padding:.06em .3em}
pre{background:var(--sunk);border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem;margin:.25rem 0;white-space:pre-wrap}
.soft{color:var(--soft)}.meta{display:flex;flex-wrap:wrap;gap:.3rem .9rem;color:var(--soft);font-size:.9rem}
.totals{display:flex;flex-wrap:wrap;gap:.5rem;margin:.9rem 0;padding:0;list-style:none}
.totals li{border:1px solid var(--line);border-radius:8px;padding:.25rem .75rem;margin:0}
.totals b{font-size:1.15rem}.totals .bad b{color:var(--proven)}.totals .ok b{color:var(--good)}
.summary{padding-left:1.35rem}.summary li{margin:.3rem 0}
article{border:1px solid var(--line);border-radius:12px;padding:1rem;margin:1rem 0;scroll-margin-top:.75rem}
.certainty{font-weight:650}.proven{color:var(--proven)}.probable{color:var(--probable)}.suspect{color:var(--suspect)}.unknown{color:var(--unknown)}
.evidence{list-style:none;padding:0}.evidence li{scroll-margin-top:1rem;padding:.2rem .4rem;border-radius:6px}
li:target,article:target{background:var(--mark)}
.where{color:var(--soft);font-size:.86rem}.evidence code{display:block;margin-top:.1rem;padding:.3rem .5rem}
.assumed{color:var(--suspect);font-size:.9rem}
details summary{cursor:pointer;color:var(--link);padding:.35rem 0}
table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-top:1px solid var(--line)}
th{font-size:.84rem;color:var(--soft);font-weight:600}th,td[data-head]{white-space:nowrap}
.words{border-left:3px solid var(--suspect);padding:.2rem .8rem;margin:.8rem 0}
.picture{width:100%;height:auto;display:block}.picture .label{font:600 12px system-ui,sans-serif;fill:var(--ink)}
.picture .size,.picture .head{font:11px system-ui,sans-serif;fill:var(--soft)}
.picture rect{fill:var(--paper);stroke:currentColor;stroke-width:1.5}.picture .probable{stroke-dasharray:7 3}
.picture .suspect,.picture .unknown{stroke-dasharray:2 3}.picture .module{stroke:var(--line)}
.band{fill:var(--band);opacity:.35}.band.b1{opacity:.55}
.w360{display:none}
@media (max-width:38rem){.w760{display:none}.w360{display:block}article{padding:.8rem}
table,tbody,tr,td{display:block;width:100%}thead{display:none}tr{border-top:1px solid var(--line);padding:.5rem 0}
td{border:0;padding:.1rem 0}td[data-head]{display:inline-block;width:auto;margin-right:1rem}
td[data-head]::before{content:attr(data-head) ": ";color:var(--soft);font-size:.84rem}}
@media print{:root{color-scheme:light;--paper:#fff;--sunk:#f4f5f7;--ink:#000;--soft:#444;--line:#bbb;--link:#000;--proven:#7d1712;
--probable:#6b3a00;--suspect:#453881;--unknown:#444;--good:#12502a;--mark:#fff}body{font-size:10.5pt}main{max-width:none;padding:0}
article{break-inside:avoid-page;border-color:#999}h2,h3,h4{break-after:avoid}.w360{display:none}.w760{display:block}
details::details-content{content-visibility:visible;height:auto}a{text-decoration:none}}
"""
