// SPDX-License-Identifier: GPL-3.0-or-later
#define TERZETTO_LEVEL level_sse2
#define TERZETTO_LANES_SSE2
#include "inner_fit_body.hpp"

namespace terzetto {
const InnerLoops& inner_loops_sse2() {
    static const InnerLoops loops = level_sse2::table("sse2");
    return loops;
}
} // namespace terzetto
