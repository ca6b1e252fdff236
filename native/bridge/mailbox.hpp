// SPDX-License-Identifier: GPL-3.0-or-later
// One long text each way. Its pages exist only while a text waits. Not for the audio thread.
#pragma once

#include "mapped.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace terzetto::bridge {

// False: the last text has not been taken yet, this one is too long, or there is no room in memory.
inline bool put_text(Memory& memory, Mailbox& box, std::size_t at, std::string_view text) noexcept {
    const std::uint32_t written = box.written.load(std::memory_order_relaxed);
    if (written != box.taken.load(std::memory_order_acquire) || text.size() > kMailboxBytes) return false;
    const auto put = [&] {
        if (!memory.reserve(at, text.size())) return false;
        const Memory::Window window(memory, at, text.size());
        if (!window.data()) return false;
        std::memcpy(window.data(), text.data(), text.size());
        return true;
    };
    if (!text.empty() && !put()) {
        memory.release(at, Layout::rounded(text.size(), kPage)); // what it got of it before the room ended
        return false;
    }
    box.bytes.store(text.size(), std::memory_order_relaxed);
    box.written.store(written + 1, std::memory_order_release);
    return true;
}

inline std::optional<std::string> take_text(Memory& memory, Mailbox& box, std::size_t at) {
    const std::uint32_t written = box.written.load(std::memory_order_acquire);
    if (written == box.taken.load(std::memory_order_relaxed)) return std::nullopt;
    const std::uint64_t bytes = box.bytes.load(std::memory_order_relaxed);
    std::optional<std::string> text;
    if (bytes == 0)
        text.emplace();
    else if (bytes <= kMailboxBytes) {
        const auto size = static_cast<std::size_t>(bytes);
        {
            const Memory::Window window(memory, at, size);
            if (!window.data()) return std::nullopt; // it waits on
            text.emplace(reinterpret_cast<const char*>(window.data()), size);
        }
        memory.release(at, Layout::rounded(size, kPage));
    }
    box.taken.store(written, std::memory_order_release);
    return text;
}

} // namespace terzetto::bridge
