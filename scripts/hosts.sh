#!/usr/bin/env bash
# Get the hosts that tests/hosts load the plugins into: Ardour, jalv on JACK, DawDreamer (pedalboard is there already),
# and a display without a screen with a GTK window that files are dropped on.
# Nothing here is needed to use Terzetto. Where a host cannot be had its tests are skipped by name.
set -uo pipefail
venv=${1:?usage: hosts.sh VENV}
cd "$(dirname "$0")/.."

missing=()
compgen -c | grep -E '^ardour[0-9]+-lua$' >/dev/null || missing+=(ardour)
command -v jackd >/dev/null 2>&1 || missing+=(jackd2)
command -v jalv >/dev/null 2>&1 || missing+=(jalv)
command -v oscsend >/dev/null 2>&1 || missing+=(liblo-tools)
command -v Xvfb >/dev/null 2>&1 || missing+=(xvfb)
command -v xdotool >/dev/null 2>&1 || missing+=(xdotool)
command -v xsettingsd >/dev/null 2>&1 || missing+=(xsettingsd)
command -v openbox >/dev/null 2>&1 || missing+=(openbox)
/usr/bin/python3 -c 'import gi; gi.require_version("Gtk", "3.0")' 2>/dev/null || missing+=(python3-gi gir1.2-gtk-3.0)

if [ ${#missing[@]} -gt 0 ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    if command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; then
        echo "hosts: installing ${missing[*]}"
        # JACK asks whether it may have real-time priority; the tests do without.
        { $sudo apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"; } ||
            echo "hosts: could not install ${missing[*]}; their tests will be skipped" >&2
    else
        echo "hosts: not here: ${missing[*]} (Debian's names); their tests will be skipped" >&2
    fi
fi

"$venv/bin/pip" install -q --disable-pip-version-check -c constraints.txt dawdreamer JACK-Client ||
    echo "hosts: could not install DawDreamer and JACK-Client; their tests will be skipped" >&2
