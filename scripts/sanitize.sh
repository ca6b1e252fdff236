#!/usr/bin/env bash
# Build the native self-tests with sanitizers and run them: addresses and undefined behaviour, then threads. The
# bridge's and the plugins' also without, where no sanitizer's own system calls and allocations hide theirs.
# Needs CMake, a C++ compiler with its sanitizer runtimes, and nothing of Python.
set -euo pipefail
cd "$(dirname "$0")/.."

tool() {
    if command -v "$1" >/dev/null 2>&1; then
        command -v "$1"
    elif [ -x ".venv/bin/$1" ]; then
        echo "$PWD/.venv/bin/$1"
    fi
}
cmake=$(tool cmake)
[ -n "$cmake" ] || {
    echo "sanitize: no cmake, neither on PATH nor in .venv/bin (make installs it there)" >&2
    exit 2
}
ninja=$(tool ninja)
generator=()
[ -z "$ninja" ] || generator=(-G Ninja "-DCMAKE_MAKE_PROGRAM=$ninja")

plugin_tests=()
if echo '#include <nlohmann/json.hpp>' | c++ -x c++ -E - >/dev/null 2>&1; then
    plugin_tests=(plugin_core_selftest plugin_keeper_selftest)
else
    echo "SKIP plugin_core_selftest plugin_keeper_selftest: no nlohmann/json.hpp (Debian: nlohmann-json3-dev)"
fi
tests=(kernel_selftest coherence_selftest phase_selftest bridge_selftest bridge_polling_selftest "${plugin_tests[@]}")

# The thread sanitizer's shadow memory does not fit around some kernels' random addresses; without randomness it does.
fixed_addresses() {
    if command -v setarch >/dev/null 2>&1 && setarch "$(uname -m)" -R true 2>/dev/null; then
        setarch "$(uname -m)" -R "$@"
    else
        "$@"
    fi
}

# sanitize NAME FLAGS
sanitize() {
    local name=$1 flags=$2 build=build/sanitize-$1 program status
    # Debug, because every other type gets the kernel's own -O3: instrumented, that takes minutes to compile.
    "$cmake" -S . -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1" \
        -DTERZETTO_PLUGINS=OFF -DCMAKE_DISABLE_FIND_PACKAGE_pybind11=ON "-DCMAKE_CXX_FLAGS=$flags -fno-omit-frame-pointer" \
        "-DCMAKE_EXE_LINKER_FLAGS=$flags" >"$build.log" 2>&1 &&
        "$cmake" --build "$build" --parallel 2 --target "${tests[@]}" >>"$build.log" 2>&1 || {
        tail -n 40 "$build.log" >&2
        echo "FAIL $name: does not build (all of it: $build.log)" >&2
        return 1
    }
    for test in "${tests[@]}"; do
        program=$(find "$build" -name "$test" -type f -perm -u+x | head -n 1)
        status=0
        if [ "$name" = thread ]; then
            fixed_addresses "$program" || status=$?
        else
            "$program" || status=$?
        fi
        if [ "$status" -ne 0 ]; then
            echo "FAIL $name: $test (status $status)" >&2
            return 1
        fi
        echo "PASS $name: $test"
    done
}

mkdir -p build
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
sanitize address "-fsanitize=address,undefined -fno-sanitize-recover=all"
sanitize thread "-fsanitize=thread"
tests=(bridge_selftest bridge_polling_selftest "${plugin_tests[@]}")
sanitize none ""
