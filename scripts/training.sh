#!/usr/bin/env bash
# Get what the training recipes and their tests want beside PyTorch: fluidsynth and two small sound fonts.
# Nothing here is needed to use Terzetto. What the shipped transcription model was trained with is larger, and named by
# `terzetto train transcription` where it is missing.
set -uo pipefail

missing=()
command -v fluidsynth >/dev/null 2>&1 || missing+=(fluidsynth)
[ -f /usr/share/sounds/sf2/TimGM6mb.sf2 ] || missing+=(timgm6mb-soundfont)
[ -f /usr/share/sounds/sf2/sf_GMbank.sf2 ] || missing+=(csound-soundfont)

if [ ${#missing[@]} -gt 0 ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    if command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; then
        echo "training: installing ${missing[*]}"
        { $sudo apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"; } ||
            echo "training: could not install ${missing[*]}; the test that renders will be skipped" >&2
    else
        echo "training: not here: ${missing[*]} (Debian's names); the test that renders will be skipped" >&2
    fi
fi
exit 0
