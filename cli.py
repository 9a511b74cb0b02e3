"""Launcher for a checkout: `python cli.py …` is the installed command `zonelog …`."""

from analyzer import main

if __name__ == "__main__":
    main()
