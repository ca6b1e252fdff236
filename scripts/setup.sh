#!/usr/bin/env bash
# Make the virtual environment VENV and install Terzetto into it, editable, from a fresh clone.
# On Debian and Ubuntu missing system packages are installed; elsewhere they are named.
set -euo pipefail
venv=${1:?usage: setup.sh VENV}
cd "$(dirname "$0")/.."

python=""
for candidate in python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        python=$candidate
        break
    fi
done

missing=()
[ -n "$python" ] || missing+=(python3)
if [ -z "$python" ] || ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then missing+=(python3-venv); fi
if [ -z "$python" ] || ! "$python" - <<'PY' 2>/dev/null
import pathlib, sysconfig
raise SystemExit(not pathlib.Path(sysconfig.get_paths()["include"], "Python.h").exists())
PY
then missing+=(python3-dev); fi
command -v c++ >/dev/null 2>&1 || missing+=(g++)

# What the plugins are built with. Where it cannot be had, everything else still installs, without the plugins.
plugin_packages=()
if [ "${TERZETTO_PLUGINS:-AUTO}" != OFF ] && command -v dpkg-query >/dev/null 2>&1; then
    for package in juce-modules-source lv2-dev nlohmann-json3-dev pkg-config; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" ||
            plugin_packages+=("$package")
    done
fi

if [ ${#missing[@]} -gt 0 ]; then
    if command -v apt-get >/dev/null 2>&1; then
        sudo=""
        if [ "$(id -u)" != 0 ]; then
            command -v sudo >/dev/null 2>&1 || {
                echo "setup: please run as root: apt-get install ${missing[*]}" >&2
                exit 2
            }
            sudo=sudo
        fi
        echo "setup: installing system packages: ${missing[*]}"
        $sudo apt-get update -qq
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
        [ -n "$python" ] || python=python3
    else
        echo "setup: missing: ${missing[*]} (these are the Debian names)." >&2
        echo "setup: install Python 3.11-3.13 with headers and a C++17 compiler, then run make again." >&2
        exit 2
    fi
fi

if [ ${#plugin_packages[@]} -gt 0 ]; then
    if command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1; }; then
        sudo=""
        [ "$(id -u)" = 0 ] || sudo=sudo
        echo "setup: installing system packages for the plugins: ${plugin_packages[*]}"
        { $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq \
            --no-install-recommends "${plugin_packages[@]}"; } || echo "setup: not installed: no plugins will be built" >&2
    else
        echo "setup: without ${plugin_packages[*]} the plugins are not built; everything else is" >&2
    fi
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check -c constraints.txt pip scikit-build-core pybind11 cmake ninja
"$venv/bin/pip" install -q --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[test]'
