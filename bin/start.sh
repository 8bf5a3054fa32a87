# Read by bin/run, bin/test and bin/lock: finds Python 3.11 or newer and hands over to bin/setup.py.
# POSIX sh; needs $command, the name of the caller.

root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)

for candidate in "${TANDEM_PYTHON:-python3}" python3.13 python3.12 python3.11 python3.14 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$candidate" "$root/bin/setup.py" "$command" "$@"
    fi
done

echo "Tandem needs Python 3.11 or newer; none was found in PATH (TANDEM_PYTHON may name one)." >&2
exit 1
