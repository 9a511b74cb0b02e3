"""Launcher for a checkout: `python cli.py …` is the installed command `zonelog …`."""

from analyzer.__main__ import main

if __name__ == "__main__":
    main()
