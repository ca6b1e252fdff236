// SPDX-License-Identifier: GPL-3.0-or-later
#define TERZETTO_LEVEL level_plain
#define TERZETTO_LANES_PLAIN
#include "inner_fit_body.hpp"

namespace terzetto {
const InnerLoops& inner_loops_plain() {
    static const InnerLoops loops = level_plain::table("plain");
    return loops;
}
} // namespace terzetto
