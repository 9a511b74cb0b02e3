#!/bin/sh
# Installs zonelog without a network: sh install.sh [FOLDER]
cd "$(dirname "$0")" || exit 1
for python in python3.14 python3.13 python3.12 python3.11 python3; do
  if command -v "$python" >/dev/null && "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'; then
    exec "$python" install.py "$@"
  fi
done
echo "Python 3.11 to 3.14 is needed and was not found. / Python 3.11~3.14가 필요합니다." >&2
exit 1
