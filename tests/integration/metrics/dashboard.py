#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""dashboard.py DASHBOARD PAGE URL: every query of the dashboard, of the page for operators, and of the alerts the
Prometheus at the URL has loaded, is answered by it, with a result but for the alerts; every metric named is one of
the library's, and the page names all of them."""
import json
import re
import sys
import time
import urllib.parse
import urllib.request

VARIABLES = ["datasource", "job", "instance", "process", "class"]
NAME = re.compile(r"\blgalloc_[a-z_]+\b")
OF_HISTOGRAM = re.compile(r"_seconds_(bucket|sum|count)$")
LABEL_VALUES = re.compile(r"label_values\((.*), (\w+)\)$")
HANG_SECONDS = 60


def families(names):
    return {OF_HISTOGRAM.sub("_seconds", name) for name in names}


def get(url, path, **arguments):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{url}/api/v1/{path}?{urllib.parse.urlencode(arguments)}", timeout=30) as answer:
        body = json.load(answer)
    if body["status"] != "success":
        raise ValueError(body)
    return body["data"]


def filled_in(expression):
    """As Grafana sends it with All chosen; the window is one that two scrapes fit in."""
    expression = expression.replace("$__rate_interval", "30s")
    for variable in VARIABLES[1:]:
        expression = re.sub(rf"\${variable}\b", ".*", expression)
    if "$" in expression:
        raise ValueError(f"a variable nobody sets: {expression}")
    return expression


def results(url, expression):
    """Rates need two scrapes: the first answer may be empty."""
    end = time.monotonic() + HANG_SECONDS
    while True:
        found = get(url, "query", query=expression)["result"]
        if found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def check_panel(url, panel, problems):
    where = panel["gridPos"]
    if not panel["title"] or not panel["description"] or where["x"] + where["w"] > 24:
        problems.append(f"panel {panel['id']}: no title, no description or too wide")
    for target in panel["targets"]:
        if target["datasource"]["uid"] != "${datasource}":
            problems.append(f"{panel['title']}: a datasource of its own")
        if not results(url, filled_in(target["expr"])):
            problems.append(f"{panel['title']}: no result of {target['expr']}")
    return [target["expr"] for target in panel["targets"]]


def check_variable(url, variable, problems):
    metric, label = LABEL_VALUES.match(variable["query"]["query"]).groups()
    found = results(url, filled_in(metric))
    if not any(sample["metric"].get(label) for sample in found):
        problems.append(f"variable {variable['name']}: no values of {variable['query']['query']}")
    return metric


def check_page(url, path, known, problems):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    queries = [line.strip() for line in text.split("\n") if line.startswith("    ") and "_" in line and "{" in line
               and "usdt:" not in line]
    if len(queries) < 4:
        problems.append(f"{path}: only {len(queries)} queries are found")
    for query in queries:
        if not results(url, query.replace("/db.prom", "/one.prom")):
            problems.append(f"{path}: no result of {query}")
    named, known = families(NAME.findall(text)), families(known)
    for name in sorted(known - named):
        if not name.startswith("lgalloc_option_"):
            problems.append(f"{path} does not name {name}")
    for name in sorted(named - known - {"lgalloc_option_"}):
        problems.append(f"{path} names {name}, which is not there")
    return queries


def main(path, page, url):
    problems = []
    with open(path, encoding="utf-8") as file:
        board = json.load(file)
    variables = board["templating"]["list"]
    if [variable["name"] for variable in variables] != VARIABLES:
        problems.append(f"variables are not {VARIABLES}")
    if len({panel["id"] for panel in board["panels"]}) != len(board["panels"]):
        problems.append("two panels of one id")
    queries = [check_variable(url, variable, problems) for variable in variables[1:]]
    for panel in board["panels"]:
        queries += check_panel(url, panel, problems)
    alerts = [rule for group in get(url, "rules")["groups"] for rule in group["rules"]]
    if not alerts:
        problems.append("no alerts are loaded")
    for rule in alerts:
        get(url, "query", query=rule["query"])
        queries.append(rule["query"])
        if rule["health"] == "err":
            problems.append(f"alert {rule['name']}: {rule.get('lastError')}")
    known = {name for name in get(url, "label/__name__/values") if NAME.fullmatch(name)}
    queries += check_page(url, page, known, problems)
    for name in sorted({name for query in queries for name in NAME.findall(query)} - known):
        problems.append(f"{name} is no metric of the library")
    for problem in problems:
        print(problem)
    print(f"{len(queries)} queries of {len(board['panels'])} panels and {len(alerts)} alerts, {len(problems)} findings")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3]))
