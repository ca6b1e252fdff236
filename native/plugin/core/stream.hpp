// SPDX-License-Identifier: GPL-3.0-or-later
// How a host runs an instance, and what it gives with each block.
#pragma once

#include "bridge.hpp"

#include <cstdint>

namespace terzetto::plugin {

// How the host runs an instance.
struct Stream {
    double sample_rate = 48000.0;
    std::uint32_t channels = 2;
    std::uint32_t block = 512; // frames at most, as announced
    bool realtime = true;
    bool low_latency = false;
    bool timed = true; // false: the host has only ever waited; then the latency need not depend on its blocks

    std::uint32_t hop() const;      // frames
    std::uint32_t pipeline() const; // frames from a hop's first frame in to the same frame out
};

struct Note {
    std::uint32_t frame; // in the block
    std::uint8_t pitch, velocity, channel;
};

// A block besides its audio.
struct Block {
    bridge::Transport transport;
    bool transport_of_output = false; // the host tells where what it hears is in the song, not what it gives (Ardour)
    bool realtime = true;
    bool bypass = false;
    const Note* notes = nullptr;
    std::uint32_t note_count = 0;
};

} // namespace terzetto::plugin
