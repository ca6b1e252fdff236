// SPDX-License-Identifier: GPL-3.0-or-later
#define TERZETTO_LEVEL level_avx512
#define TERZETTO_LANES_AVX512
#include "inner_fit_body.hpp"

namespace terzetto {
const InnerLoops& inner_loops_avx512() {
    static const InnerLoops loops = level_avx512::table("avx512");
    return loops;
}
} // namespace terzetto
