#!/usr/bin/env bash
# Make .venv of locked packages: what `make env` does, in the root of the project.
#
#     envs/install.sh LOCK...
#
# PYTHON: the interpreter to make a new one of, in place of the first that serves.
# TORCH_INDEX: an index of packages, or a folder of wheels, with a PyTorch for CPUs alone. From there
# come torch and torchaudio, in the locked versions, and nothing else; CUDA is left out.
set -euo pipefail

# As pip does by itself: where Python must not write (PYTHONDONTWRITEBYTECODE, an environment of somebody
# else) every job would compile all that it imports, which takes a second or two.
export UV_COMPILE_BYTECODE=1
venv=.venv
python=${PYTHON:-}
index=${TORCH_INDEX:-}
# The same as in pyproject.toml, and in PYTHONS of workflow/l2i/provenance/environments.py.
serves='import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'

fail() {
    echo "error: $*" >&2
    exit 1
}

require_system() {
    case $(uname -sm) in
    "Linux x86_64" | "Linux aarch64" | "Darwin arm64") ;;
    *) fail "the locked packages are for Linux on x86-64 or aarch64 and for macOS on Apple silicon," \
        "and this is $(uname -sm); in Windows use its Linux (WSL)" ;;
    esac
}

# A slip in its name would else be found only when the environment that is there has been cleared.
require_index() {
    case $index in
    "" | *://*) return ;;
    esac
    compgen -G "$index/torch-*.whl" > /dev/null ||
        fail "TORCH_INDEX=$index is no address, and no folder with a wheel of torch; without it," \
            "make env TORCH_INDEX= takes the PyTorch that is locked"
}

# What `python` is set to: the interpreter that the user names, or the first that serves.
find_python() {
    local name seen=""
    for name in ${python:-python3.11 python3.12 python3.13 python3 python}; do
        if ! command -v "$name" > /dev/null; then
            [ -z "$python" ] || seen+="; there is no program $name"
            continue
        fi
        if "$name" -c "$serves" 2> /dev/null; then
            "$name" -c 'import ensurepip, venv' 2> /dev/null ||
                fail "$name has no module venv; on Debian and Ubuntu install the package" \
                    "$("$name" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')"
            python=$name
            return
        fi
        # What a version manager only pretends to have says nothing.
        seen+="; $name is $("$name" --version 2> /dev/null || echo 'no program that runs')"
    done
    fail "Python 3.11, 3.12 or 3.13 is needed${seen:-; there is no Python}. Install one, or name it:" \
        "make env PYTHON=/path/to/python3.11"
}

# An environment that is there is kept, unless it has no pip, which is what a failed attempt leaves
# behind, its Python does not serve, or its PyTorch came from elsewhere.
make_venv() {
    "$venv/bin/python" -m pip --version > /dev/null 2>&1 && "$venv/bin/python" -c "$serves" &&
        [ "$(cat "$venv/torch-index" 2> /dev/null)" = "$index" ] && return
    find_python
    "$python" -m venv --clear "$venv"
}

# Install just what is named: locks are complete. pip's own settings (mirrors, proxies) are unknown to
# uv, hence the second attempt with pip.
install() {
    VIRTUAL_ENV=$venv "$venv/bin/uv" pip install --quiet --no-deps "$@" ||
        "$venv/bin/python" -m pip install --quiet --no-deps "$@"
}

# The pins of a lock without PyTorch and CUDA, which alone are asked for on Linux only.
without_torch() {
    awk '/^[^ #]/ { kept = !/^torch(audio)?==|; sys_platform == .linux./ } kept' "$1"
}

# No hash of such a build is locked. What protects is that just two names, in one version each and as
# wheels, come from there and from nowhere else. It is asked of uv alone: pip's settings might add places.
install_torch() {
    local from=(--default-index "$index")
    [ -d "$index" ] && from=(--no-index --find-links "$index")
    VIRTUAL_ENV=$venv "$venv/bin/uv" pip install --quiet --no-deps --no-config --no-build "${from[@]}" \
        $(grep -ohE '^torch(audio)?==[^ ;]+' "$@") ||
        fail "no $(grep -ohE '^torch==[^ ;]+' "$@") and no torchaudio that is built for it could be had" \
            "from TORCH_INDEX=$index; make env TORCH_INDEX= takes the PyTorch that is locked"
}

require_system
require_index
make_venv
echo "Installing the environment into $venv (once, about a minute) ..."
"$venv/bin/python" -m pip install --quiet --require-hashes --requirement envs/installers.txt
if [ -n "$index" ]; then
    rest=$venv/without-torch
    mkdir -p "$rest"
    locks=()
    for lock in "$@"; do
        without_torch "$lock" > "$rest/${lock##*/}"
        locks+=(--requirement "$rest/${lock##*/}")
    done
    install --require-hashes "${locks[@]}"
    install_torch "$@"
else
    install --require-hashes "${@/#/--requirement=}"
fi
broken=$(VIRTUAL_ENV=$venv "$venv/bin/uv" pip check 2>&1 || "$venv/bin/python" -m pip check) ||
    fail "packages do not fit each other: $broken"
printf %s "$index" > "$venv/torch-index"
