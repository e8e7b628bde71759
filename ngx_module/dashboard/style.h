// The page's only style; its hash stands in the page's Content-Security-Policy.
#pragma once

#include <string_view>

namespace footfall {

inline constexpr std::string_view kPageStyle = R"css(
:root{color-scheme:light dark;--ground:#f6f7f5;--card:#fff;--ink:#1c2421;--soft:#59635f;--line:#dde2df;--mark:#0b6e4f;--warn:#8a4b00}
@media(prefers-color-scheme:dark){:root{--ground:#141816;--card:#1d2320;--ink:#e8ecea;--soft:#a3aea9;--line:#323a36;--mark:#5fc7a0;--warn:#f0b264}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header,main,footer{max-width:72rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.25rem}
h1{margin:0;font-size:1.4rem}
h2{margin:0 0 .5rem;font-size:1.05rem}
p{margin:.25rem 0 .75rem}
a{color:var(--mark)}
nav{margin:.25rem 0}
nav a{display:inline-block;margin-right:1rem;padding:.15rem 0}
nav a[aria-current]{font-weight:600;text-decoration:none;color:var(--ink)}
.soft{color:var(--soft)}
.warn{color:var(--warn);font-weight:600}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(max(8.5rem,23%),1fr));gap:.75rem;margin:1rem 0;padding:0}
.figures div,section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem}
.figures dt{color:var(--soft);font-size:.875rem}
.figures dd{margin:0;font-size:1.35rem;white-space:nowrap;font-variant-numeric:tabular-nums}
.parts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:.75rem}
.whole{grid-column:1/-1}
ul{margin:.25rem 0 .75rem;padding-left:1.1rem}
li{margin:.15rem 0;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .5rem .3rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500;font-size:.875rem}
tbody th{color:var(--ink);font-weight:400;font-size:1rem;overflow-wrap:anywhere;min-width:7.5rem}
td,thead th+th{text-align:right;white-space:nowrap;padding-right:0;padding-left:.5rem}
thead th+th{white-space:normal}
tfoot td,tfoot th{color:var(--ink);font-size:1rem;font-weight:600;border-bottom:0}
@media(max-width:30rem){table{font-size:.875rem}tbody th,tfoot td,tfoot th{font-size:.875rem}tbody th{min-width:4.5rem}td,thead th+th{padding-left:.3rem}}
code{background:var(--ground);padding:.1rem .3rem;border-radius:.25rem;overflow-wrap:anywhere}
footer{padding-top:1rem;padding-bottom:2rem;font-size:.875rem}
)css";

}  // namespace footfall
