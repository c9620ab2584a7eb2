# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A manual page as its parts: sections, synopsis as C, examples as C, the terms of its lists."""
import re

import tree

FONTS = re.compile(r"\\f(?:\[[^\]]*\]|\([A-Z]{2}|.)")


def plain(text):
    """Roff text without its escapes."""
    text = FONTS.sub("", text)
    for escape, meaning in [("\\-", "-"), ("\\&", ""), ("\\|", ""), ("\\%", ""), ("\\ ", " "), ("\\(bu", "*"),
                            ("\\(aq", "'"), ("\\(dq", '"')]:
        text = text.replace(escape, meaning)
    return text.replace("\\e", "\\")


def arguments(text):
    """Of a macro: words, or what stands in quotes."""
    return [quoted if quoted else word for quoted, word in re.findall(r'"([^"]*)"|(\S+)', text)]


class Page:
    def __init__(self, root, path):
        self.path = path
        self.lines = tree.lines(root, path)
        self.link = self.lines[0][4:].strip() if self.lines[0].startswith(".so ") else None
        self.title = None
        self.sections = {}
        section = None
        for line in self.lines:
            if line.startswith(".TH "):
                self.title = arguments(line[4:])
            elif line.startswith(".SH "):
                section = " ".join(arguments(line[4:]))
                self.sections[section] = []
            elif section is not None:
                self.sections[section].append(line)

    def names(self):
        """The names the NAME section gives."""
        text = " ".join(self.sections.get("NAME", []))
        return [name.strip() for name in text.split(" \\- ")[0].split(",")]

    def synopsis(self):
        """The declarations of the SYNOPSIS, as C."""
        code = []
        for line in self.sections.get("SYNOPSIS", []):
            if line.startswith(".BI "):
                code.append("".join(arguments(line[4:])))
            elif line.startswith(".B "):
                code.append(line[3:].strip('"'))
            elif line.startswith(".fi"):
                break
        return plain("\n".join(code))

    def examples(self):
        """The text between .EX and .EE, anywhere in the page."""
        found, block = [], None
        for line in self.lines:
            if line.startswith(".EX"):
                block = []
            elif line.startswith(".EE"):
                found.append(plain("\n".join(block)) + "\n")
                block = None
            elif block is not None:
                block.append(line)
        return found

    def references(self):
        """(name, section) of every page that is named in the text as one."""
        found = set()
        for line in self.lines:
            if line.startswith((".BR ", ".IR ")):
                text = "".join(arguments(line[4:]))
                found.update(re.findall(r"([A-Za-z_][\w.\-]*)\s*\((\d)\)", plain(text)))
        return found

    def terms(self, macro, section):
        """[(term, first line of what is said about it)] of the .TP lists in a section."""
        found = []
        lines = self.sections.get(section, [])
        for number, line in enumerate(lines):
            if line == ".TP" and lines[number + 1].startswith(macro + " "):
                found.append((lines[number + 1][len(macro) + 1:], plain(lines[number + 2])))
        return found
