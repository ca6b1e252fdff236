// SPDX-License-Identifier: GPL-3.0-or-later
// Short messages between the audio thread and the others, in fixed memory: one writer, one reader, no lock.
#pragma once

#include "realtime.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace terzetto::plugin {

struct Letter {
    std::array<char, 64> address{};
    char type = 'N'; // f i s T F N
    double number = 0.0;
    std::array<char, 32> about{}; // what it is about, an argument before the others; empty: none
    std::array<char, 2048> text{};

    static void copy(char* to, std::size_t room, std::string_view from) noexcept { to[from.copy(to, room - 1)] = '\0'; }
};

template <std::uint32_t Room>
class Letters {
    static_assert((Room & (Room - 1)) == 0, "a power of two");

public:
    // False: full, or longer than a letter.
    bool post(std::string_view address, char type, double number, std::string_view text,
              std::string_view about = {}) noexcept TERZETTO_REALTIME {
        const std::uint32_t at = posted_.load(std::memory_order_relaxed);
        if (at - taken_.load(std::memory_order_acquire) == Room) return false;
        Letter& letter = letters_[at % Room];
        if (address.size() >= letter.address.size() || text.size() >= letter.text.size()) return false;
        if (about.size() >= letter.about.size()) return false;
        Letter::copy(letter.address.data(), letter.address.size(), address);
        Letter::copy(letter.text.data(), letter.text.size(), text);
        Letter::copy(letter.about.data(), letter.about.size(), about);
        letter.type = type;
        letter.number = number;
        posted_.store(at + 1, std::memory_order_release);
        return true;
    }
    // The oldest one; nullptr: none. It stays until pop().
    const Letter* front() const noexcept TERZETTO_REALTIME {
        const std::uint32_t at = taken_.load(std::memory_order_relaxed);
        return at == posted_.load(std::memory_order_acquire) ? nullptr : &letters_[at % Room];
    }
    void pop() noexcept TERZETTO_REALTIME {
        taken_.store(taken_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

private:
    std::array<Letter, Room> letters_;
    std::atomic<std::uint32_t> posted_{0}, taken_{0};
};

} // namespace terzetto::plugin
