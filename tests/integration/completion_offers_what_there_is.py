#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
completion_offers_what_there_is.py LGALLOC COMPLETION WATCHED: what bash is offered for each of some lines.

Claims: commands, options, keys, values, processes and rows are offered as the command itself names them, in
whatever way the shell has cut the line into words; and a Tab in a real bash puts them where they belong.
Oracle: the command's own output.
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

LGALLOC, COMPLETION, WATCHED = (os.path.abspath(path) for path in sys.argv[1:4])
PATIENCE_S = 60  # only for what would otherwise hang
PACKAGE = "/usr/share/bash-completion/bash_completion"
TAB, LINE_START = "\t", "\x01"

# For each line on stdin: how bash cuts it where $BREAKS says, and what is offered, between angle brackets.
ASK = r"""
source "$COMPLETION"
while IFS= read -r COMP_LINE; do
	COMP_POINT=${#COMP_LINE} COMP_WORDS=() COMPREPLY=() rest=$COMP_LINE
	while [[ -n $rest ]]; do
		rest=${rest#"${rest%%[! ]*}"}
		if [[ -n $COMP_WORDBREAKS && $rest == [$COMP_WORDBREAKS]* ]]; then
			word=${rest%%[!$COMP_WORDBREAKS]*}
		else
			word=${rest%%[ $COMP_WORDBREAKS]*}
		fi
		COMP_WORDS+=("$word")
		rest=${rest#"$word"}
		[[ $rest == ' ' ]] && COMP_WORDS+=('') && rest=
	done
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_lgalloc "$LGALLOC"
	printf '%s\0' "$COMP_LINE" "${COMPREPLY[@]}"
	printf '\n'
done
"""


def claim(what, holds, *shown):
    if not holds:
        print(f"not so: {what}", *shown, sep="\n")
        sys.exit(1)


def said(*arguments):
    return subprocess.run([LGALLOC, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout


def offers(lines, breaks=":="):
    """{line: [what is offered]}"""
    script = f"COMP_WORDBREAKS='{breaks}'\n" + ASK
    done = subprocess.run(["bash", "--norc", "--noprofile", "-c", script], input="".join(f"{line}\n" for line in lines),
                          capture_output=True, text=True, timeout=PATIENCE_S,
                          env={**os.environ, "LGALLOC": LGALLOC, "COMPLETION": COMPLETION})
    claim("nothing goes wrong", done.returncode == 0 and done.stderr == "", done.stderr)
    answers = [line.split("\0") for line in done.stdout.split("\n") if line]
    return {answer[0]: sorted(answer[1:-1]) for answer in answers}


def options():
    return {line.split()[0]: line.split() for line in said("options").splitlines()[1:]}


def flags(command):
    return set(re.findall(r"^ +(?:-., +)?(--[a-z-]+)", said(command, "--help"), re.M))


def commands():
    return sorted(re.findall(r"^  ([a-z]+)  ", said("help"), re.M))


def every_command_and_option_is_offered():
    names = commands()
    answer = offers(["lgalloc ", "lgalloc help "] + [f"lgalloc {name} --" for name in names if name != "help"])
    claim("commands are offered", answer["lgalloc "] == sorted(names + ["--help", "--version"]), answer)
    claim("commands are offered to help", answer["lgalloc help "] == names, answer)
    lists = re.search(r"\[([a-z|]+)\]", said("options", "--help")).group(1).split("|")
    claim("lists of options are offered", offers(["lgalloc options "])["lgalloc options "] == sorted(lists), lists)
    for line, offered in answer.items():
        command = line.split()[1:2]
        if command and command != ["help"] and (command != ["bench"] or has_benchmarks()):
            claim(f"options of {command} are offered", {one.rstrip("= ") for one in offered} == flags(command[0]), offered)


def keys_and_values_are_those_of_the_table():
    table = options()
    words = {}
    for key, row in table.items():
        named = re.match(r"([a-z]\w*(?:, [a-z]\w*)*) or ([a-z]\w*)", " ".join(row[4:]))
        if row[1] in ("switch", "word"):
            words[key] = (*named[1].split(", "), named[2])
    claim("there are such options", len(table) > 10 and len(words) > 3)
    lines = ["lgalloc run -o ", "lgalloc run --options=", "lgalloc run -o cache_bytes:1M,"]
    lines += [f"lgalloc run -o cache_bytes:1M,{key}:" for key in table]
    answer = offers(lines)
    whole = offers(lines, "")
    keys = sorted(f"{key}:" for key in table)
    claim("keys are offered", answer[lines[0]] == keys, answer[lines[0]])
    claim("keys are offered behind an equal sign", answer[lines[1]] == keys, answer[lines[1]])
    claim("and behind a comma", answer[lines[2]] == [f"1M,{key}" for key in keys], answer[lines[2]])
    claim("and where no sign ends a word", whole[lines[1]] == [f"--options={key}" for key in keys], whole[lines[1]])
    for key in table:
        line = f"lgalloc run -o cache_bytes:1M,{key}:"
        expected = sorted(words.get(key, ()))
        claim(f"values of {key} are offered", answer[line] == expected, answer[line])
        claim(f"values of {key} are offered whole", whole[line] == [f"cache_bytes:1M,{key}:{one}" for one in expected],
              whole[line])


def programs_and_files_are_offered(directory):
    program = os.path.join(directory, "lgalloc-test-program")
    shutil.copy("/bin/true", program)
    answer = offers([f"lgalloc run -- {program[:-3]}", f"lgalloc run {program[:-3]}", f"lgalloc run -m 1M -- cat {program[:-3]}",
                     f"lgalloc top {program[:-3]}", "lgalloc run -- ech"])
    claim("programs are offered", answer.pop("lgalloc run -- ech").count("echo") == 1)
    for line, offered in answer.items():
        claim("files are offered", offered == [program], line, offered)


def actions_of_a_trace_are_offered(directory):
    actions = ["info", "record", "replay"]
    path = os.path.join(directory, "some.trace")
    open(path, "w", encoding="utf-8").close()
    lines = ["lgalloc trace ", "lgalloc trace re", "lgalloc trace replay -p ", "lgalloc trace replay --policy=clock,w",
             f"lgalloc trace info {path[:-3]}", f"lgalloc trace replay --csv {path[:-3]}", f"lgalloc trace replay --plot {path[:-3]}"]
    answer = offers(lines + [f"lgalloc trace {action} --" for action in actions])
    claim("actions are offered", answer[lines[0]] == actions and answer[lines[1]] == ["record", "replay"], answer)
    policies = re.search(r"Policies: ([^.]*)\.", said("trace", "replay", "--help")).group(1).replace("\n", " ").split(", ")
    claim("there are policies", len(policies) == 8, policies)
    claim("policies are offered", answer[lines[2]] == sorted(policies), answer)
    claim("and behind a comma", answer[lines[3]] == ["clock,wiro_f", "clock,wiro_l"], answer)
    for line in lines[4:]:
        claim("files are offered", answer[line] == [path], line, answer)
    for action in actions:
        shown = set(re.findall(r"^ +(?:-., +)?(--[a-z-]+)", said("trace", action, "--help"), re.M))
        offered = {one.rstrip("= ") for one in answer[f"lgalloc trace {action} --"]}
        claim(f"options of {action} are offered", offered == shown, offered, shown)
    program = os.path.join(directory, "lgalloc-test-program")
    answer = offers([f"lgalloc trace record -- {program[:-3]}", f"lgalloc trace record -o x {program[:-3]}",
                     f"lgalloc trace record cat {program[:-3]}"])
    for line, offered in answer.items():
        claim("programs are offered", offered == [program], line, offered)


def actions_of_a_heap_are_offered(directory):
    actions = ["check", "dump", "info", "snapshot"]
    path = os.path.join(directory, "some.heap")
    open(path, "w", encoding="utf-8").close()
    lines = ["lgalloc heap ", "lgalloc heap d", f"lgalloc heap info {path[:-3]}", f"lgalloc heap check --repair {path[:-3]}",
             f"lgalloc heap snapshot {path} {path[:-3]}"]
    answer = offers(lines + [f"lgalloc heap {action} --" for action in actions])
    claim("actions are offered", answer[lines[0]] == actions and answer[lines[1]] == ["dump"], answer)
    for line in lines[2:]:
        claim("files are offered", answer[line] == [path], line, answer)
    for action in actions:
        shown = set(re.findall(r"^ +(?:-., +)?(--[a-z-]+)", said("heap", action, "--help"), re.M))
        offered = {one.rstrip("= ") for one in answer[f"lgalloc heap {action} --"]}
        claim(f"options of {action} are offered", offered == shown, offered, shown)


def processes_are_offered(directory):
    environment = {**os.environ, "LGALLOC_CONF": f"metrics_file:{directory}/%p.prom,dir:{directory}"}
    with subprocess.Popen([WATCHED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                          env=environment) as watched:
        watched.stdin.write("work\n")
        watched.stdout.readline()
        pid, end = str(watched.pid), time.monotonic() + PATIENCE_S
        while not os.path.exists(os.path.join(directory, f"{pid}.prom")):
            claim("the metrics file is written", time.monotonic() < end)
            time.sleep(0.005)
        answer = offers(["lgalloc top ", f"lgalloc top -d 3 {pid[:-1]}", "lgalloc top -d ", "lgalloc top -s re"])
        watched.stdin.close()
    claim("the process is offered", pid in answer["lgalloc top "], answer)
    claim("behind an option's argument too", pid in answer[f"lgalloc top -d 3 {pid[:-1]}"], answer)
    claim("and not where a number is wanted", answer["lgalloc top -d "] == [], answer)
    claim("columns are offered", answer["lgalloc top -s re"] == ["reclaimed", "refills", "refused"], answer)


def has_benchmarks():
    return os.access(os.path.join(os.path.dirname(LGALLOC), "bench", "lgalloc-bench"), os.X_OK)


def rows_are_offered():
    if not has_benchmarks():
        print("left out: the benchmarks are not built")
        return
    listed = said("bench", "--list")
    rows = set(re.findall(r"^  (\S+)", listed.split("\nallocators")[0], re.M))
    rows |= set(re.search(r"^groups: (.*)", listed, re.M).group(1).split())
    allocators = re.findall(r"^  (\S+)", listed.split("\nallocators")[1], re.M)
    answer = offers(["lgalloc bench ", "lgalloc bench --quick pair", "lgalloc bench --allocators ", "lgalloc bench --options backing:"])
    claim("rows are offered", set(answer["lgalloc bench "]) == rows, answer)
    claim("rows are offered behind a switch", set(answer["lgalloc bench --quick pair"]) == {r for r in rows if r.startswith("pair")})
    claim("allocators are offered", answer["lgalloc bench --allocators "] == sorted(allocators), answer)
    claim("options are offered", answer["lgalloc bench --options backing:"] == ["anon", "file", "paged"], answer)


class Shell:
    """A bash at a terminal."""

    def __init__(self, *sources):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "dumb", "PS1": "$ ", "INPUTRC": "/dev/null", "HISTFILE": "",
                           "PATH": os.path.dirname(LGALLOC) + ":" + os.environ["PATH"]}
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)
        for source in (*sources, COMPLETION):
            os.write(self.terminal, f"source '{source}'\n".encode())

    def words(self, typed):
        """The words of the line that was typed, after its Tabs."""
        os.write(self.terminal, (typed + LINE_START + "printf '<%s>' start-'' \n").encode())
        text, end = b"", time.monotonic() + PATIENCE_S
        while re.search(rb"<start-><.*>", text) is None:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            claim("bash answers", ready, text)
            text += os.read(self.terminal, 65536)
        return re.search(rb"<start->(<.*>)", text).group(1).decode()[1:-1].split("><")

    def close(self):
        os.write(self.terminal, b"\x03\x04")
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def tab_puts_it_where_it_belongs():
    shell = Shell()
    typed = f"lgalloc ru{TAB}--opt{TAB}backi{TAB}a{TAB},reserve:of{TAB} -o interv{TAB}1s -- /usr/bin/tim"
    words = shell.words(typed + " ")
    claim("a Tab completes", words == ["lgalloc", "run", "--options=backing:anon,reserve:off", "-o", "interval:1s", "--",
                                       "/usr/bin/tim"], words)
    shell.close()
    if not os.path.exists(PACKAGE):
        print("left out: bash-completion is not installed")
        return
    shell = Shell(PACKAGE)
    words = shell.words(f"lgalloc run -o backing:anon -- sort --rever{TAB}")
    claim("what follows -- is completed as it is alone", words[-2:] == ["sort", "--reverse"], words)
    shell.close()


def main():
    if shutil.which("bash") is None:
        print("skipped: bash is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="lgalloc-completion-") as directory:
        every_command_and_option_is_offered()
        keys_and_values_are_those_of_the_table()
        programs_and_files_are_offered(directory)
        actions_of_a_trace_are_offered(directory)
        actions_of_a_heap_are_offered(directory)
        processes_are_offered(directory)
        rows_are_offered()
        tab_puts_it_where_it_belongs()


if __name__ == "__main__":
    main()
