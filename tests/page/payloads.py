"""Words that would run as code where a page took them for markup."""

from __future__ import annotations

_BASES = (
    "<img src=x onerror=fired()>",
    "<svg><image href=x onerror=fired()></svg>",
    "<video><source onerror=fired()></video>",
    "<details open ontoggle=fired()>x</details>",
    "<iframe src='javascript:parent.fired()'></iframe>",
    "<style>@keyframes k{}</style><b style='animation:k 1s' onanimationstart=fired()>x</b>",
)
# Ends of what surrounds a value: of an attribute, an element, a comment, a string, a rule.
_ENDS = (
    *('"><', "'>", "`>", '" x=">', "</textarea>", "</title>", "</style>", "</script>", "</select>"),
    *("</noscript>", "</template>", "-->", "]]>", "*/", "}}", "</p></div>", "x\u2028", "x\u202e"),
)
_OTHERS = (
    "<img/src='x'/onerror=fired()>",
    "<img src=x onerror=fired()//",
    "<IMG SRC=x OnErRoR=fired()>",
    "<img src=x onerror=&#102;ired()>",
    "<img src=x onerror=\nfired()>",
    "<image src=x onerror=fired()>",
    "<picture><source srcset=x><img src=x onerror=fired()></picture>",
    "<svg><style><img src=x onerror=fired()></style></svg>",
    "<math><mi><img src=x onerror=fired()></mi></math>",
    "<video src=x onerror=fired()></video>",
    "<audio src=x onerror=fired()></audio>",
    "<input type=image src=x onerror=fired()>",
    "<object data=x onerror=fired()></object>",
    "<iframe srcdoc='<script>parent.fired()</script>'></iframe>",
    "<iframe srcdoc='&lt;img src=x onerror=parent.fired()&gt;'></iframe>",
    "<input autofocus onfocus=fired()>",
    "<a href=# style='animation:k 1s' onanimationstart=fired()><style>@keyframes k{}</style>x</a>",
    "<!--><img src=x onerror=fired()>-->",
    "<noscript><p title='</noscript><img src=x onerror=fired()>'>",
)
FIRING = (*_BASES, *_OTHERS, *(end + base for end in _ENDS for base in _BASES))
"""As raw markup they call `fired`."""
INERT = (
    "<link rel=stylesheet href=x onerror=fired()>",
    "<math><mtext><table><mglyph><style><img src=x onerror=fired()>",
    "<svg onload=fired()>",
    "<svg/onload=fired()>",
    "<img src=x onerror='fired()' alt=\"",
    "<script>fired()</script>",
    "</script><script>fired()</script>",
    "<script src=data:,fired()></script>",
    "<base href=//elsewhere.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:fired()'>",
    "<form action=javascript:fired()><button>x</button></form>",
    "javascript:fired()",
    "data:text/html,<script>parent.fired()</script>",
    "[x](javascript:fired())",
    "![x](x'onerror='fired())",
    "{{constructor.constructor('fired()')()}}",
    "${fired()}",
    "&lt;img src=x onerror=fired()&gt;",
    "\u202egnp.exe\u202c<img src=x onerror=fired()>",
    "__proto__",
    "constructor",
    "../../v1/status?<svg onload=fired()>",
    "//elsewhere.example/x.js",
)
"""They need more than being made markup: a click, a template, a script that is parsed."""
