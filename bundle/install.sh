#!/bin/sh
# Installs zonelog without a network: sh install.sh [FOLDER], which is found from where you are.
here=$(dirname -- "$0")
found=
for python in python3.14 python3.13 python3.12 python3.11 python3; do
  command -v "$python" >/dev/null || continue
  found=$python
  "$python" "$here/install.py" --fits 2>/dev/null && exec "$python" "$here/install.py" "$@"
done
[ -n "$found" ] && exec "$found" "$here/install.py" "$@" # it says why it does not fit
echo "Python was not found; README.txt says which is needed. / Python이 없습니다. 필요한 버전은 README.txt에 있습니다." >&2
exit 1
