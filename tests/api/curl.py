"""A stand-in for curl on machines without it: the options that docs/how-to/api.md uses, and no others."""

import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def main(words: list[str]) -> int:
    headers, body, url, dump, output = {}, None, "", False, True
    while words:
        match words.pop(0):
            case "-H":
                name, _colon, value = words.pop(0).partition(":")
                headers[name] = value.strip()
            case "-d":
                body = words.pop(0).encode()
            case "--dump-header":
                dump = words.pop(0) == "-"
            case "--output":
                output = words.pop(0) != "/dev/null"
            case "--silent" | "--show-error" | "--fail-with-body":
                pass
            case word if word.startswith("-"):
                sys.exit(f"curl stand-in: unknown option {word}")
            case word:
                url = word
    try:
        answer = urlopen(Request(url, data=body, headers=headers))
    except HTTPError as error:
        answer = error
    if dump:
        sys.stdout.write("".join(f"{name}: {value}\r\n" for name, value in answer.headers.items()) + "\r\n")
    if output:
        sys.stdout.write(answer.read().decode())
    return 22 if answer.status >= 400 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
