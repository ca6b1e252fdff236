// SPDX-License-Identifier: GPL-3.0-or-later
#include "dispatch.hpp"

#include <stdexcept>

#if defined(_MSC_VER) && defined(TERZETTO_X86_LEVELS)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace terzetto {

#if defined(TERZETTO_X86_LEVELS)
namespace {

#if defined(_MSC_VER) && !defined(__clang__)

// The processor must know the instructions and the system must save the registers.
bool register_state(unsigned long long bits) {
    int info[4];
    __cpuid(info, 1);
    return (info[2] & (1 << 27)) && (_xgetbv(0) & bits) == bits;
}

bool runs_avx2() {
    int leaf1[4], leaf7[4];
    __cpuid(leaf1, 1);
    __cpuidex(leaf7, 7, 0);
    return register_state(0x6) && (leaf1[2] & (1 << 12)) && (leaf7[1] & (1 << 5));
}

bool runs_avx512() {
    int leaf7[4];
    __cpuidex(leaf7, 7, 0);
    const unsigned wanted = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31); // f, dq, bw, vl
    return runs_avx2() && register_state(0xe6) && (static_cast<unsigned>(leaf7[1]) & wanted) == wanted;
}

#else

bool runs_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool runs_avx512() {
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

#endif

} // namespace
#endif

std::vector<const InnerLoops*> supported_levels() {
    std::vector<const InnerLoops*> levels{&inner_loops_plain()};
#if defined(TERZETTO_X86_LEVELS)
    levels.push_back(&inner_loops_sse2());
    if (runs_avx2()) levels.push_back(&inner_loops_avx2());
    if (runs_avx512()) levels.push_back(&inner_loops_avx512());
#elif defined(TERZETTO_NEON_LEVEL)
    levels.push_back(&inner_loops_neon());
#endif
    return levels;
}

const InnerLoops& level_named(const std::string& name) {
    static const std::vector<const InnerLoops*> levels = supported_levels();
    if (name.empty()) return *levels.back();
    std::string choices;
    for (const InnerLoops* level : levels) {
        if (name == level->name) return *level;
        choices += std::string(choices.empty() ? "" : ", ") + level->name;
    }
    throw std::invalid_argument("simd is '" + name + "'; this machine has: " + choices);
}

} // namespace terzetto
