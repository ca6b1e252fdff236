// SPDX-License-Identifier: GPL-3.0-or-later
#define TERZETTO_LEVEL level_avx2
#define TERZETTO_LANES_AVX2
#include "inner_fit_body.hpp"

namespace terzetto {
const InnerLoops& inner_loops_avx2() {
    static const InnerLoops loops = level_avx2::table("avx2");
    return loops;
}
} // namespace terzetto
