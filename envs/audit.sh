#!/usr/bin/env bash
# Ask for known vulnerabilities of what is locked: what `make audit` does, in the root of the project.
#
#     envs/audit.sh LOCK...
#
# Ends with 1 where there are any, and with 2 where nobody could be asked: a package that the service
# does not know has not been audited. Only pins that hold on this platform are asked for.
#
# AUDIT_SERVICE: pypi (the default) or osv, see pip-audit --help.
set -euo pipefail

venv=.venv/audit

# One lock, with a table of what is known of it. pip-audit ends with 1 for whatever reason, but writes
# its report only after all packages have been asked for.
audit() {
    local lock=$1 report=$venv/report.txt said=$venv/said.txt
    rm -f "$report"
    if "$venv/bin/pip-audit" --strict --disable-pip --require-hashes --progress-spinner off \
        --vulnerability-service "${AUDIT_SERVICE:-pypi}" --requirement "$lock" --output "$report" \
        2> "$said"; then
        echo "$lock: no vulnerability is known"
        return
    elif [ -s "$report" ]; then
        echo "$lock: vulnerabilities are known; name other versions in ${lock%.txt}.in and make lock"
        cat "$report"
        return 1
    fi
    tail -n 1 "$said" >&2
    echo "error: $lock was NOT audited: the service could not be asked, or does not know a package;" \
        "try again where it is reached, or AUDIT_SERVICE=osv make audit" >&2
    exit 2
}

.venv/bin/python -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --require-hashes --requirement envs/audit.txt
found=0
for lock in "$@"; do
    audit "$lock" || found=1
done
exit "$found"
