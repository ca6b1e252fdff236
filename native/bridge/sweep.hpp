// SPDX-License-Identifier: GPL-3.0-or-later
// Killed hosts leave their segments behind; the engine sweeps them when it starts and when a worker ends.
#pragma once

#include "mapped.hpp"

#include <string>
#include <vector>

namespace terzetto::bridge {

// Whether nobody will use it any more. Unsure (another user's, being made, held by a living process): no.
inline bool left_behind(const std::string& name) {
    char* rest = nullptr;
    const std::uint64_t named_pid = std::strtoull(name.c_str() + sizeof kPrefix - 1, &rest, 10);
    if (named_pid == 0 || *rest != '-') return false;
    try {
        const Memory memory = Memory::open(name);
        constexpr double unfinished = 60.0; // seconds: making one takes milliseconds
        std::uint64_t magic = 0;
        Identity identity{};
        bool gone;
        if (!memory.read(0, &magic, sizeof magic) || magic != magic_word() ||
            !memory.read(offsetof(Header, identity), &identity, sizeof identity))
            gone = !process_alive(named_pid, 0) || memory.unchanged_for() > unfinished;
        else if (identity.version != kVersion)
            gone = !process_alive(named_pid, 0);
        else
            gone = !process_alive(identity.host_pid, identity.host_started);
        // A host in another container has its own process numbers, but holds its lock.
        return gone && memory.abandoned();
    } catch (const BridgeError&) {
        return false;
    }
}

// Removes the segments of hosts that are no more; returns their names. Does nothing where the system does not list
// shared memory (macOS) or removes it by itself (Windows).
inline std::vector<std::string> sweep() {
    std::vector<std::string> removed;
    for (const std::string& name : Memory::list(kPrefix)) {
        if (!left_behind(name)) continue;
#ifndef _WIN32
        if (::shm_unlink(name.c_str()) == 0) removed.push_back(name);
#endif
    }
    return removed;
}

} // namespace terzetto::bridge
