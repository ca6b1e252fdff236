// SPDX-License-Identifier: GPL-3.0-or-later
#include "stream.hpp"

#include <algorithm>
#include <numeric>

namespace terzetto::plugin {

std::uint32_t Stream::hop() const {
    // A block's hops must find room in the ring, and half of it may still be under way.
    return low_latency && block <= 256 * bridge::kSlots / 2 ? 256 : 512;
}

std::uint32_t Stream::pipeline() const {
    const std::uint32_t whole = std::gcd(std::max(block, 1u), hop());
    const std::uint32_t slack = whole < bridge::kTail ? bridge::kTail - whole : 0;
    const std::uint32_t needed = timed ? block + hop() + slack : hop() + bridge::kTail;
    return std::max(hop() == 256 ? 512u : 1024u, needed);
}

} // namespace terzetto::plugin
