#include "core/api/html.h"

#include <time.h>


static pyro_status_e pyro_html_data(pyro_arena_t *arena,
    const pyro_flamegraph_t *graph, const pyro_html_options_t *options,
    pyro_rope_t *out, pyro_error_t *err);
static void pyro_html_json(const pyro_flamegraph_t *graph,
    const pyro_html_options_t *options, pyro_rope_t *json);
static void pyro_html_escape(pyro_slice_t text, pyro_rope_t *out);
static void pyro_html_time(int64_t ns, pyro_rope_t *out);
static void pyro_html_text(pyro_rope_t *out, const char *text);


/*
 * The page draws on a canvas: a level a row, widths by value, colours by
 * package.  A click or Enter zooms, Escape zooms out, arrows walk, "/" is for
 * searching.  What a frame is stands above, where it stays when a deep graph
 * is scrolled.  Whatever a name could smuggle in, nothing is loaded.
 */
static const char  pyro_html_head[] =
    "<meta http-equiv=\"Content-Security-Policy\" content=\""
    "default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>\n"
    ":root{color-scheme:light dark;--fg:#222;--bg:#fff;--dim:#666;"
    "--line:#ccc}\n"
    "@media(prefers-color-scheme:dark){:root{--fg:#ddd;--bg:#181818;"
    "--dim:#999;--line:#444}}\n"
    "body{margin:0;font:14px/1.4 system-ui,sans-serif;color:var(--fg);"
    "background:var(--bg)}\n"
    "header{padding:8px 12px;border-bottom:1px solid var(--line);"
    "position:sticky;top:0;background:var(--bg)}\n"
    "h1{font-size:16px;margin:0;overflow-wrap:anywhere}\n"
    "p{margin:2px 0;color:var(--dim);overflow-wrap:anywhere}\n"
    "input,button{font:inherit;color:inherit;background:var(--bg);"
    "border:1px solid var(--line);padding:2px 6px}\n"
    "#info{min-height:1.4em;overflow-wrap:anywhere}\n"
    "canvas{display:block;width:100%;outline-offset:-2px}\n"
    "</style>\n";

static const char  pyro_html_body[] =
    "<p><label>Search <input id=\"find\" type=\"search\" size=\"40\"></label> "
    "<button id=\"all\">Reset</button> <span id=\"match\"></span></p>\n"
    "<p id=\"info\" role=\"status\"></p></header>\n"
    "<canvas id=\"graph\" tabindex=\"0\" role=\"img\" "
    "aria-label=\"Flame graph; arrows, Enter and Escape walk in it\">"
    "</canvas>\n";

static const char  pyro_html_script[] =
    "<script>\n"
    "'use strict';\n"
    "const d=JSON.parse(document.getElementById('data').textContent);\n"
    "const $=i=>document.getElementById(i),H=18,g=$('graph'),"
    "c=g.getContext('2d');\n"
    "const nodes=[],rows=[];\n"
    "for(const level of d.levels){const row=[];let end=0;\n"
    " for(let i=0;i<level.length;i+=4){const x=end+level[i],t=level[i+1];"
    "end=x+t;\n"
    "  const n={x,t,self:level[i+2],name:d.names[level[i+3]],"
    "depth:rows.length,kids:[],up:null};\n"
    "  row.push(n);nodes.push(n)}\n"
    " if(rows.length){const above=rows[rows.length-1];let k=0;\n"
    "  for(const n of row){while(k<above.length-1&&"
    "above[k].x+above[k].t<=n.x)k++;n.up=above[k];above[k].kids.push(n)}}\n"
    " rows.push(row)}\n"
    "let zoom=nodes[0],at=nodes[0],word='';\n"
    "const value=v=>{if(d.unit==='nanoseconds')return v<1e9?"
    "(v/1e6).toFixed(2)+' ms':(v/1e9).toFixed(2)+' s';\n"
    " if(d.unit==='bytes'){let u=0;while(v>=1024&&u<4){v/=1024;u++}"
    "return v.toFixed(u?2:0)+' '+['B','KiB','MiB','GiB','TiB'][u]}\n"
    " return v.toLocaleString('en')};\n"
    "const share=v=>d.total?(100*v/d.total).toFixed(2)+' %':'';\n"
    "const hue=s=>{let h=0;const e=s.lastIndexOf('/');"
    "s=e<0?s.split('.')[0]:s.slice(0,e);\n"
    " for(let i=0;i<s.length;i++)h=(h*31+s.charCodeAt(i))>>>0;"
    "return h%360};\n"
    "const hit=n=>word!==''&&n.name.toLowerCase().includes(word);\n"
    "function draw(){const w=g.clientWidth,h=rows.length*H,"
    "r=Math.min(devicePixelRatio||1,32e3/h,Math.sqrt(2e8/(w*h||1)));\n"
    " g.width=w*r;g.height=h*r;g.style.height=h+'px';"
    "c.setTransform(r,0,0,r,0,0);\n"
    " c.font='12px system-ui,sans-serif';c.textBaseline='middle';\n"
    " const dark=matchMedia('(prefers-color-scheme:dark)').matches,"
    "scale=zoom.t?w/zoom.t:0;\n"
    " for(const n of nodes){let x=(n.x-zoom.x)*scale,b=n.t*scale;\n"
    "  if(n.depth<zoom.depth){if(n.x>zoom.x||n.x+n.t<zoom.x+zoom.t)continue;"
    "x=0;b=w}\n"
    "  else if(x+b<0||x>w||n.x<zoom.x||n.x+n.t>zoom.x+zoom.t)continue;\n"
    "  if(b<.4)continue;\n"
    "  const y=n.depth*H,o=n.name==='other'||n.depth===0;\n"
    "  c.fillStyle=hit(n)?(dark?'#a3c':'#d8f'):"
    "`hsl(${hue(n.name)} ${o?0:55}% ${(dark?32:76)-(n.depth<zoom.de"
    "pth?8:0)}%)`;"
    "\n"
    "  c.fillRect(x,y,Math.max(b-.5,.4),H-1);\n"
    "  if(n===at){c.strokeStyle=dark?'#fff':'#000';"
    "c.strokeRect(x+.5,y+.5,Math.max(b-1.5,.5),H-2)}\n"
    "  if(b>24){c.fillStyle=dark?'#eee':'#111';c.save();c.beginPath();"
    "c.rect(x,y,b-3,H);c.clip();c.fillText(n.name,x+3,y+H/2);c.restore()}}}\n"
    "function tell(n){$('info').textContent=!d.total?'nothing found':"
    "n.name+' \\u2014 '+value(n.t)+"
    "' ('+share(n.t)+'), self '+value(n.self)+' ('+share(n.self)+')'}\n"
    "function find(x,y){const row=rows[Math.floor(y/H)];if(!row)return null;\n"
    " const w=g.clientWidth;if(row[0].depth<zoom.depth)"
    "return row.find(n=>n.x<=zoom.x&&n.x+n.t>=zoom.x+zoom.t)||null;\n"
    " const v=zoom.x+x/w*zoom.t;return row.find(n=>n.x<=v&&v<n.x+n.t)||null}\n"
    "const seen=n=>n.depth<zoom.depth?"
    "n.x<=zoom.x&&n.x+n.t>=zoom.x+zoom.t:"
    "n.x>=zoom.x&&n.x+n.t<=zoom.x+zoom.t;\n"
    "function go(n,z){if(!n)return;at=n;zoom=z?n:seen(n)?zoom:n.up;"
    "tell(n);draw()}\n"
    "function search(){word=$('find').value.trim().toLowerCase();let sum=0;\n"
    " const walk=[nodes[0]];while(walk.length){const n=walk.pop();"
    "if(hit(n))sum+=n.t;else for(const k of n.kids)walk.push(k)}\n"
    " $('match').textContent=word?'matches '+value(sum)+"
    "' ('+share(sum)+')':'';draw()}\n"
    "g.onmousemove=e=>{const n=find(e.offsetX,e.offsetY);tell(n||at)};\n"
    "g.onmouseleave=()=>tell(at);\n"
    "g.onclick=e=>go(find(e.offsetX,e.offsetY),true);\n"
    "$('all').onclick=()=>{$('find').value='';search();go(nodes[0],true)};\n"
    "$('find').oninput=search;\n"
    "function show(n){const top=$('top').offsetHeight,"
    "y=g.getBoundingClientRect().top+n.depth*H;\n"
    " if(y<top)scrollBy(0,y-top);"
    "else if(y+H>innerHeight)scrollBy(0,y+H-innerHeight)}\n"
    "window.onkeydown=e=>{if(e.ctrlKey||e.altKey||e.metaKey)return;\n"
    " if(e.target===$('find')){if(e.key==='Escape'){g.focus();"
    "e.preventDefault()}return}\n"
    " const s=at.up?at.up.kids:[at],i=s.indexOf(at);let n=null;\n"
    " if(e.key==='ArrowUp')n=at.up;else if(e.key==='ArrowDown')"
    "n=at.kids.reduce((a,b)=>!a||b.t>a.t?b:a,null);\n"
    " else if(e.key==='ArrowLeft')n=s[i-1];else if(e.key==='ArrowRight')"
    "n=s[i+1];\n"
    " else if(e.key==='Enter'&&document.activeElement===g)"
    "return go(at,true);else if(e.key==='Escape')return go(nodes[0],true);\n"
    " else if(e.key==='/'){$('find').focus();e.preventDefault();return}\n"
    " if(n){go(n,false);show(n);e.preventDefault()}};\n"
    "window.onresize=draw;matchMedia('(prefers-color-scheme:dark)')"
    ".onchange=draw;\n"
    "tell(at);draw();\n"
    "</script>\n";


pyro_status_e
pyro_html_write(pyro_arena_t *arena, const pyro_flamegraph_t *graph,
    const pyro_html_options_t *options, pyro_rope_t *out, pyro_error_t *err)
{
    pyro_status_e  status;

    pyro_html_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n"
                   "<meta charset=\"utf-8\">\n<title>");
    pyro_html_escape(options->type->sample_type, out);
    pyro_html_text(out, " flame graph</title>\n");
    pyro_html_text(out, pyro_html_head);
    pyro_html_text(out, "<header id=\"top\"><h1>");
    pyro_html_escape(options->query, out);
    pyro_html_text(out, "</h1>\n<p>");
    pyro_html_time(options->start, out);
    pyro_html_text(out, " to ");
    pyro_html_time(options->end, out);
    pyro_html_text(out, "</p>\n");
    pyro_html_text(out, pyro_html_body);

    status = pyro_html_data(arena, graph, options, out, err);

    pyro_html_text(out, pyro_html_script);

    return status == PYRO_OK ? pyro_rope_status(out, err) : status;
}


/* In a script element nothing but "<" means anything, and JSON may have it
 * escaped. */
static pyro_status_e
pyro_html_data(pyro_arena_t *arena, const pyro_flamegraph_t *graph,
    const pyro_html_options_t *options, pyro_rope_t *out, pyro_error_t *err)
{
    size_t        i, from;
    pyro_rope_t   json;
    pyro_slice_t  text;

    pyro_rope_init(&json, 0);
    pyro_html_json(graph, options, &json);
    text = pyro_rope_flat(&json, arena);
    pyro_rope_free(&json);

    if (text.data == NULL) {
        return pyro_error_memory(err);
    }

    pyro_html_text(out, "<script type=\"application/json\" id=\"data\">");

    for (i = 0, from = 0; i < text.len; i++) {
        if (text.data[i] == '<') {
            pyro_rope_append(out, text.data + from, i - from);
            pyro_html_text(out, "\\u003c");
            from = i + 1;
        }
    }

    pyro_rope_append(out, text.data + from, text.len - from);
    pyro_html_text(out, "</script>\n");

    return PYRO_OK;
}


static void
pyro_html_json(const pyro_flamegraph_t *graph,
    const pyro_html_options_t *options, pyro_rope_t *json)
{
    size_t    k;
    uint32_t  i;

    pyro_html_text(json, "{\"unit\":");
    pyro_rope_json(json, options->type->sample_unit);
    pyro_rope_printf(json, ",\"total\":%lld,\"names\":",
                     (long long) graph->total);

    for (i = 0; i < graph->n_names; i++) {
        pyro_html_text(json, i ? "," : "[");
        pyro_rope_json(json, graph->names[i]);
    }

    pyro_html_text(json, "],\"levels\":");

    for (i = 0; i < graph->n_levels; i++) {
        pyro_html_text(json, i ? ",[" : "[[");

        for (k = 0; k < graph->levels[i].n; k++) {
            pyro_rope_printf(json, k ? ",%lld" : "%lld",
                             (long long) graph->levels[i].values[k]);
        }

        pyro_html_text(json, "]");
    }

    pyro_html_text(json, "]}");
}


static void
pyro_html_escape(pyro_slice_t text, pyro_rope_t *out)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        switch (text.data[i]) {

        case '<': pyro_html_text(out, "&lt;"); break;
        case '>': pyro_html_text(out, "&gt;"); break;
        case '&': pyro_html_text(out, "&amp;"); break;
        case '"': pyro_html_text(out, "&quot;"); break;

        default:
            pyro_rope_append(out, &text.data[i], 1);
        }
    }
}


/* Beyond a year of four digits there is no date to show. */
static void
pyro_html_time(int64_t ns, pyro_rope_t *out)
{
    char       text[32];
    time_t     seconds;
    struct tm  tm;

    seconds = (time_t) (ns / 1000000000);

    if (seconds < 0 || seconds > 253402300799
        || gmtime_r(&seconds, &tm) == NULL
        || strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
    {
        pyro_html_text(out, "any time");
        return;
    }

    pyro_html_text(out, text);
}


static void
pyro_html_text(pyro_rope_t *out, const char *text)
{
    pyro_rope_append(out, text, strlen(text));
}
