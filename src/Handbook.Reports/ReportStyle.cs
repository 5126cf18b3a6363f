namespace Handbook.Reports;

/// <summary>The page's style and its script, which shows values under the pointer; without it the page loses nothing else.</summary>
internal static class ReportStyle
{
    public const string Css = """

        :root{--page:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5d6a7c;--line:#e3e7ed;--c0:#2f6fde;--c1:#e0762b;--c2:#2a9d6f;--c3:#a04fc4;
        --right:#1c7c54;--wrong:#b3392f;--tint:#eef3fc}
        @media (prefers-color-scheme:dark){:root{--page:#12161d;--card:#1a202a;--ink:#e4e9f0;--soft:#94a1b3;--line:#2c3543;--c0:#6ea3ff;
        --c1:#f2a154;--c2:#5cc79a;--c3:#c98be8;--right:#5cc79a;--wrong:#f0857b;--tint:#202b3d}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);
        font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
        main{max-width:1180px;margin:0 auto;padding:36px 20px 28px}
        h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
        h2{font-size:20px;margin:0 0 4px}
        .lead{color:var(--soft);margin:0 0 22px;max-width:75ch}
        .headlines{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:14px;margin-bottom:22px}
        .headline{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 18px;display:flex;
        flex-direction:column}
        .headline span{color:var(--soft);font-size:13px}
        .headline b{font-size:27px;line-height:1.25;font-variant-numeric:tabular-nums}
        .headline small{color:var(--soft);font-size:13px}
        .stage{margin-top:34px;border-top:1px solid var(--line);padding-top:24px}
        .stage>p{margin:0 0 12px;max-width:80ch;color:var(--soft)}
        dl{display:flex;flex-wrap:wrap;gap:4px 26px;margin:0 0 16px}
        dl div{display:flex;gap:7px}
        dt{color:var(--soft)}
        dd{margin:0;font-variant-numeric:tabular-nums}
        .blocks{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:16px}
        .card{background:var(--card);border:1px solid var(--line);border-radius:12px;margin:0;padding:16px 18px;min-width:0}
        .wide{grid-column:1/-1}
        figcaption{font-weight:600;margin-bottom:6px}
        .note{margin:-4px 0 8px;color:var(--soft);font-size:13.5px}
        svg{width:100%;height:auto;display:block}
        .grid{stroke:var(--line);stroke-width:1}
        .tick,.label{fill:var(--soft);font-size:11.5px}
        .line{fill:none;stroke-width:2;stroke-linejoin:round}
        .line.c0,.dot.c0{stroke:var(--c0)}.line.c1,.dot.c1{stroke:var(--c1)}.line.c2,.dot.c2{stroke:var(--c2)}
        .line.c3,.dot.c3{stroke:var(--c3)}
        .dot{fill:var(--card);stroke-width:2}
        .bar.c0{fill:var(--c0)}.bar.c1{fill:var(--c1)}.bar.c2{fill:var(--c2)}.bar.c3{fill:var(--c3)}
        .see{opacity:.62}
        .cursor{stroke:var(--soft);stroke-dasharray:3 3}
        .chart{position:relative}
        .chart output{position:absolute;top:2px;right:8px;background:var(--tint);border-radius:7px;padding:3px 9px;font-size:12.5px;
        font-variant-numeric:tabular-nums;pointer-events:none}
        .chart output:empty{display:none}
        .legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:13px;color:var(--soft);padding-left:54px}
        .legend span{display:flex;align-items:center;gap:6px}
        .legend i{width:14px;height:4px;border-radius:2px}
        i.c0{background:var(--c0)}i.c1{background:var(--c1)}i.c2{background:var(--c2)}i.c3{background:var(--c3)}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
        th,td{padding:6px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
        th{color:var(--soft);font-weight:500;font-size:13.5px}
        th:first-child,td:first-child{text-align:left}
        tbody tr:last-child td{border-bottom:0}
        .examples{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:12px}
        .example{background:var(--page);border-radius:10px;padding:11px 14px;overflow-wrap:anywhere}
        .example p{margin:0 0 5px}
        .question{font-weight:600;white-space:pre-wrap}
        .expected{color:var(--soft);font-size:13.5px}
        .answer{display:flex;gap:9px;align-items:baseline;font-size:14px}
        .answer span{color:var(--soft);min-width:4.2em}
        .answer q{quotes:none;white-space:pre-wrap;flex:1}
        .answer em{font-style:normal;font-size:12.5px;font-weight:600}
        .right{color:var(--right)}.wrong{color:var(--wrong)}
        footer{margin-top:34px;color:var(--soft);font-size:13px}
        @media print{.card,.headline{break-inside:avoid}}

        """;

    public const string Script = """

        for (const chart of document.querySelectorAll('.chart')) {
          const series = chart.dataset.series.split(';').map(part => {
            const [name, points] = part.split('|');
            return {name, points: points.split(' ').filter(Boolean).map(point => point.split(':').map(Number))};
          });
          const xs = series.flatMap(one => one.points.map(point => point[0]));
          const low = Math.min(...xs), high = Math.max(...xs);
          const svg = chart.querySelector('svg'), cursor = chart.querySelector('.cursor'), output = chart.querySelector('output');
          svg.addEventListener('pointermove', event => {
            const box = svg.getBoundingClientRect();
            const at = low + ((event.clientX - box.left) / box.width * 560 - 54) / 492 * (high - low);
            const near = series.filter(one => one.points.length).map(one => [one.name,
              one.points.reduce((a, b) => Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a)]);
            if (!near.length || high <= low) return;
            const x = near.reduce((a, b) => Math.abs(b[1][0] - at) < Math.abs(a[1][0] - at) ? b : a)[1][0];
            const px = 54 + (x - low) / (high - low) * 492;
            cursor.setAttribute('x1', px); cursor.setAttribute('x2', px); cursor.setAttribute('visibility', 'visible');
            output.textContent = x + '  ' + near.map(([name, point]) => name + ' ' + point[1]).join('  ');
          });
          svg.addEventListener('pointerleave', () => { cursor.setAttribute('visibility', 'hidden'); output.textContent = ''; });
        }

        """;
}
