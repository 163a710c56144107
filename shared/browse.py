"""Browse: an OpenAPI document as a page to read: one file, no script, nothing from anywhere else."""

import json
from typing import Any

import flask
import jinja2

PAGE = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ api.info.title }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.5rem; text-transform: capitalize }
details { border: 1px solid #d8dee6; border-radius: 6px; margin: .4rem 0; padding: .45rem .8rem }
summary { cursor: pointer } code, pre { font: 13px/1.45 ui-monospace, monospace }
pre { background: #f5f7f9; padding: .7rem; overflow: auto; border-radius: 6px }
.m { display: inline-block; width: 4.2rem; font-weight: 600; text-transform: uppercase }
table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid #e6eaef; padding: .25rem .5rem; vertical-align: top }
.get { color: #17698f } .post { color: #23763a } .put, .patch { color: #94600f } .delete { color: #a3262f }
</style></head><body>
<h1>{{ api.info.title }}</h1><p>{{ api.info.description }}</p>
{% for tag, operations in groups %}
<h2>{{ tag }}</h2>
{% for path, method, operation in operations %}
<details id="{{ operation.operationId }}"><summary>
<span class="m {{ method }}">{{ method }}</span> <code>{{ path }}</code>
 {{ operation.summary }}</summary>
<p>{{ operation.description }}</p>
<p>Asks: {% if not operation.security %}anybody{% else %}{{ operation.security[0].keys() | join }} token{% endif %}</p>
{% if operation.parameters %}<table>{% for one in operation.parameters %}
<tr><td><code>{{ one.name }}</code></td><td>{{ one.in }}{{ ", needed" if one.required }}</td>
<td><code>{{ one.schema | tojson }}</code> {{ one.description }}</td></tr>{% endfor %}</table>{% endif %}
{% if operation.requestBody %}<p>Body: {{ link(operation.requestBody.content) }}</p>{% endif %}
<table>{% for status, one in operation.responses.items() %}
<tr><td>{{ status }}</td><td>{{ one.description }} {{ link(one.content) if one.content }}</td></tr>{% endfor %}</table>
</details>{% endfor %}{% endfor %}
<h2>Models</h2>
{% for name, schema in api.components.schemas.items() %}
<details id="model-{{ name }}"><summary><code>{{ name }}</code></summary><pre>{{ pretty(schema) }}</pre></details>
{% endfor %}
</body></html>
""")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def page(api: dict[str, Any]) -> flask.Response:
    """Return a document as a page."""
    groups: dict[str, list[tuple[str, str, Any]]] = {}
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append((path, method, operation))
    html = PAGE.render(api=api, groups=groups.items(), link=_link, pretty=lambda one: json.dumps(one, indent=2))
    return flask.Response(html, mimetype="text/html", headers={"Content-Security-Policy": POLICY})


def _link(content: dict[str, Any]) -> str:
    kind, one = next(iter(content.items()))
    name = one["schema"].get("$ref", "").rpartition("/")[2]
    return f"{kind} {name}".strip()
