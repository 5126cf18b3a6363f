namespace Handbook.Chat.Inspection;

/// <summary>Looks and switches of <see cref="InspectionPage"/>.</summary>
internal static class InspectionStyle
{
    public const string Css = """
        :root{color-scheme:light dark;--bg:#f7f6f2;--panel:#fff;--ink:#22252a;--faint:#70757d;--line:#e2dfd7;--label:#c9ecd2;
        --label-ink:#0d4a24;--edge:#0001;
        --special:#5b4bb7;--user:#2f6fb3;--assistant:#1f8a4c;--system:#8a6d1f;--tool:#a34a7c;--bad:#b3261e;--warn:#96610a}
        @media(prefers-color-scheme:dark){:root{--bg:#16181c;--panel:#1e2126;--ink:#e4e2dc;--faint:#8f949c;--line:#33373e;--label:#1d4a2e;
        --label-ink:#c6f2d3;--edge:#fff2;
        --special:#a99cf5;--user:#7db4ea;--assistant:#6fd296;--system:#dcbf6e;--tool:#e592c0;--bad:#ff8a80;--warn:#f0b55a}}
        *{box-sizing:border-box}body{margin:0 auto;padding:2.5rem 1.5rem 6rem;max-width:1180px;background:var(--bg);color:var(--ink);
        font:15px/1.5 system-ui,sans-serif}
        .eyebrow{margin:0;color:var(--faint);font:12px ui-monospace,monospace;letter-spacing:.04em}
        h1{margin:.1rem 0 1rem;font-size:1.9rem;letter-spacing:-.02em}
        .facts{display:flex;flex-wrap:wrap;gap:.3rem 2rem;margin:0 0 1.6rem}.facts dt{color:var(--faint);font-size:12px}
        .facts dd{margin:0;font:13px ui-monospace,monospace}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:.8rem}
        .card{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:.7rem .9rem}
        .card span,.card small{display:block;color:var(--faint);font-size:12px}
        .card b{display:block;font-size:1.55rem;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
        .card.warn b{color:var(--warn)}.card.bad b{color:var(--bad)}figure{margin:1.4rem 0 0}figcaption{color:var(--faint);font-size:12px}
        figcaption b{color:var(--ink);margin-right:.7rem;font-variant-numeric:tabular-nums}
        svg{display:block;width:100%;height:90px;margin-top:.5rem;border-bottom:1px solid var(--line)}
        rect{fill:var(--assistant);opacity:.75}rect:hover{opacity:1}
        .problem{margin:.6rem 0 0;padding:.45rem .8rem;border-left:3px solid var(--bad);background:var(--panel);border-radius:0 6px 6px 0}
        .toolbar{position:sticky;top:0;z-index:1;display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;align-items:center;margin:2rem 0 1rem;
        padding:.6rem .2rem;background:var(--bg);border-bottom:1px solid var(--line);font-size:13px;color:var(--faint)}
        .grow{flex:1}.toolbar label{cursor:pointer;white-space:nowrap}.key .t{font:13px ui-monospace,monospace;padding:0 .2rem}
        article{background:var(--panel);border:1px solid var(--line);border-radius:12px;padding:1rem 1.2rem 1.2rem;margin:0 0 1.2rem}
        h2{display:flex;gap:1rem;align-items:baseline;margin:0 0 .6rem;font-size:1rem}h2 a{color:inherit;text-decoration:none}
        h2 small,h3 small{color:var(--faint);font-weight:400;font-size:12px}
        .parts{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:1.4rem}
        h3{margin:0 0 .4rem;font-size:13px;display:flex;gap:.6rem}
        .text{font:13.5px/1.75 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
        .who{display:block;margin:.7rem 0 .1rem;font:600 11px system-ui,sans-serif;letter-spacing:.03em}.who:first-child{margin-top:0}
        .user{color:var(--user)}.assistant{color:var(--assistant)}.system{color:var(--system)}.tool{color:var(--tool)}
        .other{color:var(--faint)}
        .t{border-radius:3px;-webkit-box-decoration-break:clone;box-decoration-break:clone}
        .t.l{background:var(--label);color:var(--label-ink)}.t.s{color:var(--special);font-weight:600}.t.l.s{color:var(--label-ink)}
        .t.x{opacity:.4;text-decoration:line-through}details.notes{margin:1rem 0 0;color:var(--faint);font-size:13px}
        details.notes pre{white-space:pre-wrap;overflow-wrap:anywhere}
        .t i{color:var(--faint);font-style:normal;opacity:.6}.edges .text .t{box-shadow:inset -1px 0 var(--edge)}
        .t:hover{outline:1px solid currentColor}
        .ids .text .t::after{content:attr(data-i);font-size:9px;vertical-align:super;color:var(--faint);padding:0 .15em}
        .focus .text .t:not(.l){opacity:.3}
        @media print{.toolbar{position:static}article{break-inside:avoid}}
        """;

    public const string Script = """
        for(const box of document.querySelectorAll('[data-toggle]')){
        const set=()=>document.body.classList.toggle(box.dataset.toggle,box.checked);box.addEventListener('change',set);set()}
        """;
}
