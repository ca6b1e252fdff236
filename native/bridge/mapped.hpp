// SPDX-License-Identifier: GPL-3.0-or-later
// A segment as one process sees it: made or opened, checked, and its places found. What the other side writes later is
// never trusted for an address.
#pragma once

#include "error.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "segment.hpp"

#include <atomic>
#include <cmath>
#include <new>
#include <string>

namespace terzetto::bridge {

constexpr char kPrefix[] = "/terzetto-";

// What is wrong with a format; empty: nothing.
inline std::string complaint(const Format& format) {
    const auto text = [](auto number) { return std::to_string(number); };
    if (!(format.sample_rate >= 1000.0 && format.sample_rate <= 1e6))
        return "sample rate " + text(format.sample_rate) + " is not in 1000..1000000 Hz";
    if (format.channels < 1 || format.channels > kMaxChannels)
        return text(format.channels) + " channels are not 1.." + text(kMaxChannels);
    if (format.hop < 32 || format.hop > kMaxHop)
        return "a hop of " + text(format.hop) + " frames is not in 32.." + text(kMaxHop);
    return {};
}

struct Mapped {
    Memory memory;
    Format format; // a copy: the segment's own could be overwritten
    Layout layout;

    Mapped(Memory mapped, const Format& known) : memory(std::move(mapped)), format(known), layout(known) {}

    static Mapped create(const Format& format) {
        const std::string wrong = complaint(format);
        if (!wrong.empty()) throw BridgeError("cannot make a segment: " + wrong);
        static std::atomic<std::uint32_t> count{0};
        const Layout layout(format);
        const std::string stem = kPrefix + std::to_string(this_process()) + "-";
        // Other plugins of this process count for themselves, and a dead process may have left names: try the next.
        for (int attempt = 0; attempt < 100000; ++attempt) {
            auto memory = Memory::create(stem + std::to_string(count++), layout.total, layout.to_engine);
            if (!memory) continue;
            std::memset(memory->data(), 0, layout.to_engine);
            Header* header = new (memory->data()) Header{};
            header->identity = {kVersion, kSlots,         layout.total,
                                format,   this_process(), process_started(this_process())};
            header->magic.store(magic_word(), std::memory_order_release);
            return Mapped(std::move(*memory), format);
        }
        throw BridgeError("cannot make a segment: every name '" + stem + "N' is taken; remove them from /dev/shm");
    }

    static Mapped open(const std::string& name) {
        if (name.compare(0, sizeof kPrefix - 1, kPrefix) != 0 || name.find('/', 1) != std::string::npos ||
            name.find('\0') != std::string::npos || name.size() > 64)
            throw BridgeError("'" + name.substr(0, 64) + "' is not the name of a segment (/terzetto-PID-COUNT)");
        Memory memory = Memory::open(name);
        const Identity identity = checked(memory);
        memory.map(Layout(identity.format).to_engine); // not the mailboxes
        return Mapped(std::move(memory), identity.format);
    }

    // Reads and checks what a segment says of itself. Throws BridgeError.
    static Identity checked(const Memory& memory) {
        const std::string segment = "segment '" + memory.name() + "'";
        std::uint64_t magic = 0;
        Identity identity{};
        if (!memory.read(0, &magic, sizeof magic) || magic == 0)
            throw BridgeError(segment + " is not finished; wait for its host, or run `terzetto plugins doctor`");
        if (magic != magic_word()) throw BridgeError(segment + " is not one of Terzetto's: it begins with other bytes");
        if (!memory.read(offsetof(Header, identity), &identity, sizeof identity))
            throw BridgeError(segment + " is damaged: it ends within its header; insert the plugin again");
        if (identity.version != kVersion)
            throw BridgeError(
                segment + " has layout version " + std::to_string(identity.version) + ", this engine " +
                std::to_string(kVersion) +
                "; plugin and engine must be of one release: run `terzetto plugins install`, restart the DAW");
        const std::string wrong = complaint(identity.format);
        if (!wrong.empty()) throw BridgeError(segment + " is damaged: " + wrong + "; insert the plugin again");
        const std::size_t total = Layout(identity.format).total;
        if (identity.slots != kSlots || identity.bytes != total || memory.size() < total)
            throw BridgeError(segment + " is damaged: " + std::to_string(identity.slots) + " slots and " +
                              std::to_string(identity.bytes) + " bytes announced, " + std::to_string(memory.size()) +
                              " there, " + std::to_string(kSlots) + " and " + std::to_string(total) +
                              " expected; insert the plugin again");
        return identity;
    }

    Header& header() const noexcept { return *reinterpret_cast<Header*>(memory.data()); }
    Request& request(std::uint32_t count) const noexcept {
        return *reinterpret_cast<Request*>(memory.data() + layout.requests + count % kSlots * layout.request_stride);
    }
    Response& response(std::uint32_t count) const noexcept {
        return *reinterpret_cast<Response*>(memory.data() + layout.responses + count % kSlots * layout.response_stride);
    }
    template <class Slot>
    static float* audio(Slot& slot) noexcept {
        return reinterpret_cast<float*>(reinterpret_cast<std::byte*>(&slot) + sizeof(Slot));
    }
};

} // namespace terzetto::bridge
