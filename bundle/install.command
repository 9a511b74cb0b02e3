#!/bin/sh
# Double-click on macOS.
exec /bin/sh "$(dirname -- "$0")/install.sh" "$@"
