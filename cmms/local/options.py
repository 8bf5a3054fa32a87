"""The options of bin/run. Standard library only: bin/setup.py reads them before anything is installed."""

import argparse


def port_number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise ValueError
    return number


port_number.__name__ = "port number"


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="bin/run",
        description="Sets up what is missing, then serves Tandem until Ctrl-C: "
        "PostgreSQL, Valkey, web, worker and beat under one supervisor.",
        epilog="DATABASE_URL and REDIS_URL replace the embedded servers. See docs/how-to/run.md.",
    )
    options.add_argument("--port", type=port_number, default=8000, metavar="N", help="port of the web pages (8000)")
    options.add_argument(
        "--data", default=None, metavar="DIR", help="folder of databases, logs and uploads (.run in the checkout)"
    )
    options.add_argument("--no-demo", action="store_true", help="start empty, without the demo plant")
    return options
