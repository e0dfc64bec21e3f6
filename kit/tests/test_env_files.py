""".env and .flaskenv, as both halves read them: what one reads, the other does too.

Each case is read by Flask's own function and by the launcher's, in its own project.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from unittest.mock import patch

import pytest
from flask.cli import load_dotenv
from servers import ROOT

READ = """
const { folders, names } = JSON.parse(process.argv[1]);
const env = { SHELL_SET: 'shell', SHELL_EMPTY: '' };
const read = [];
for (const [i, folder] of folders.entries()) {
  process.chdir(folder);
  // Another query is another module: it finds out anew which folder is the project's.
  const { flaskSetting } = await import(`%s?${i}`);
  read.push(names.map((name) => flaskSetting(name, env) ?? ''));
}
console.log(JSON.stringify(read));
"""
SHELL = {"SHELL_SET": "shell", "SHELL_EMPTY": ""}
NAMES = ("A", "B", "C", "D", "A.B", "A-B", "a b", '"A"', "A:", "größe", *SHELL)

CASES = {
    "a value": "A=b",
    "spaces around =": "  A = b  \n\tB\t=\tc\t",
    "no-break spaces": "A\u00a0=\u00a0b\u00a0\nB=\u2003c",
    "a byte order mark": "\ufeffA=b",
    "a byte order mark within": "A=b\n\ufeffB=c",
    "CRLF": "A=b\r\nB='c'\r\n\r\nC=\"d\r\ne\"\r\nD=\r\n",
    "CR": "A=b\rB=c",
    "line separators": "A=b\u2028B=c\nC=d\u0085D=e",
    "export": "export A=b\nexport\tB=c\nexportC=d\nexport=e",
    "export and no name": "export =A\nexport\nexport \nA=b",
    "export of a name": "A=b\nexport A\nexport B\nexport # C",
    "no end": "A=b\nB=c",
    "nothing": "",
    "spaces alone": "  \n\t\n",
    "empty values": "A=\nB=''\nC=\"\"\nD= ",
    "a name without =": "A=b\nA\nB",
    "the same name again": "A=b\nA=c\nB=${A}\nA=d",
    "odd names": "A.B=1\nA-B=2\n'a b'=3\n\"A\"=4\nA:=5\ngröße=6",
    "no name": "=A\n =B\nC=d",
    "a space in a name": "A B=c\nC=d",
    "a colon": "A: b\nB=c",
    "a name in one quote": "'A=b\nB=c",
    "another =": "A=b=c\nB==\nC =  = d",
    "a comment": "# A=b\n  #B=c\nC=d # e\nD=e\t#f",
    "a comment after quotes": "A='b'#c\nB=\"c\"   # d",
    "a comment for a value": "A= # b\nB=#c\nC =\t#d",
    "a hash in a value": "A=#010203\nB=https://e.org/#/x\nC=c#d #e #f",
    "a hash in a name": "A#B=c\n#\nB=d",
    "quotes": "A='b'\nB=\"c\"\nC=`d`\nD=d'e'\"f\"",
    "other quotes within": "A='b \"c\"'\nB=\"c 'd'\"\nC=it's",
    "spaces around quotes": "A=  ' b '  \nB=\t\" c \"\t",
    "escapes in double quotes": r'A="b\"c\\"' + "\n" + r'B="\n\t\a\q\'\$"',
    "escapes in single quotes": r"A='b\'c\\'" + "\n" + r"B='\n\"\t'",
    "escapes without quotes": r"A=b\nc\\d\"",
    "a backslash before the end": "A='b\\'\nB='c'\nC=d",
    "several lines": "A='b\n# c\nB=d'\nC=\"\n\n\"\nD=e",
    "a quote that does not end": "A=\"b\nB=c\nC='d",
    "more after quotes": "A='b' c\nB=d\nC='\nD=e' f",
    "a reference": "A=b\nB=${A}c\nC='${A}'\nD=\"${A}${B}\"",
    "a reference to a later one": "A=${B}\nB=c",
    "a reference to nothing": "A=b${NO}c\nB=${NO:-d}\nC=${NO:-}\nD=${}",
    "a default that is not needed": "A=\nB=${A:-c}\nC\nD=${C:-d}",
    "a default with a reference": "A=b\nB=${NO:-${A}}",
    "a reference to itself": "A=${A}b\nA=${A}c",
    "a reference to the shell": "A=${SHELL_SET}\nB=${SHELL_EMPTY:-c}",
    "what the shell sets": "SHELL_SET=b\nSHELL_EMPTY=b\nA=${SHELL_SET}",
    "a dollar": "A=b\nB=$A\nC=\\$A\nD=pa$$w${ord",
    "a reference of JavaScript": "A=${constructor}\nB=${__proto__:-c}",
    "replacement patterns": "A=$&\nB=${A}$1$`",
    "what is no reference": "A=${B:c}\nB=${C-d}\nC=${ B }",
    "letters of any language": "A=größe ✓\nB='日本 😀'",
}
FILES = {
    ".env before .flaskenv": {".env": "A=b", ".flaskenv": "A=c\nB=d"},
    ".env hides .flaskenv": {".env": "A=\nB", ".flaskenv": "A=c\nB=d"},
    "a reference to the other file": {".env": "A=${B}", ".flaskenv": "B=c\nC=${A}"},
    "files above": {"../.env": "A=b", "../.flaskenv": "A=c\nB=d"},
    "a file above and one here": {"../.env": "A=b\nB=c", ".env": "A=d"},
    "a folder above": {"../.env/pyvenv.cfg": "", "../../.env": "A=b"},
    **{name: {".env": text} for name, text in CASES.items()},
}


def project(folder: Path, files: dict[str, str]) -> Path:
    place = folder / "a/b/project"
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text, encoding="utf-8", newline="")
    return place


@pytest.fixture(scope="module")
def read_by_launcher(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, str]]:
    """Let one process of Node.js read all cases."""
    folders = [
        str(project(tmp_path_factory.mktemp("case"), files)) for files in FILES.values()
    ]
    module = (ROOT / "kit/node/lib/project.js").as_uri()
    given = json.dumps({"folders": folders, "names": NAMES})
    command = [shutil.which("node"), "--input-type=module", "-e", READ % module, given]
    output = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    values = [dict(zip(NAMES, row, strict=True)) for row in json.loads(output)]
    return dict(zip(FILES, values, strict=True))


@pytest.mark.parametrize("case", FILES)
def test_the_launcher_reads_what_flask_reads(
    case: str,
    read_by_launcher: dict[str, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project(tmp_path, FILES[case]))
    with patch.dict(os.environ, SHELL, clear=True):
        load_dotenv()
        read_by_flask = {name: os.environ.get(name, "") for name in NAMES}
    assert read_by_launcher[case] == read_by_flask
