// SPDX-License-Identifier: GPL-3.0-or-later
// Sleeping until a number that another process writes has changed: by futex on Linux, elsewhere (or with
// TERZETTO_WAKE_BY_POLLING) by looking every half millisecond.
#pragma once

#include "error.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#if defined(__linux__) && !defined(TERZETTO_WAKE_BY_POLLING)
#define TERZETTO_WAKE_BY_FUTEX
#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

namespace terzetto::bridge {

// The same clock in every process of this machine.
inline std::uint64_t now_nanoseconds() noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
}

// Wakes whoever sleeps on `number`, after it was changed.
inline void wake(std::atomic<std::uint32_t>& number) noexcept TERZETTO_REALTIME {
#ifdef TERZETTO_WAKE_BY_FUTEX
    // Not the private kind: the sleeper is in another process.
    ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&number), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
#else
    (void)number; // the sleeper looks by itself
#endif
}

// Sleeps while `number` is `value`, for `nanoseconds` at most. May return early.
inline void sleep_while(std::atomic<std::uint32_t>& number, std::uint32_t value, std::uint64_t nanoseconds) noexcept {
#ifdef TERZETTO_WAKE_BY_FUTEX
    timespec span{};
    span.tv_sec = static_cast<decltype(span.tv_sec)>(nanoseconds / 1000000000u);
    span.tv_nsec = static_cast<decltype(span.tv_nsec)>(nanoseconds % 1000000000u);
    ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&number), FUTEX_WAIT, value, &span, nullptr, 0);
#else
    constexpr std::uint64_t step = 500000;
    if (number.load(std::memory_order_acquire) == value)
        std::this_thread::sleep_for(std::chrono::nanoseconds(nanoseconds < step ? nanoseconds : step));
#endif
}

// Waits until `there()`; `bell` changes whenever that may have become true. False: timed out.
template <class Condition>
bool wait_until(std::atomic<std::uint32_t>& bell, double seconds, Condition there) noexcept {
    constexpr double day = 86400.0;
    const double span = seconds > 0.0 ? (seconds < day ? seconds : day) : 0.0; // also of what is no number
    const std::uint64_t end = now_nanoseconds() + static_cast<std::uint64_t>(span * 1e9);
    for (;;) {
        const std::uint32_t rung =
            bell.load(std::memory_order_acquire); // before looking: a bell after it is not missed
        if (there()) return true;
        const std::uint64_t now = now_nanoseconds();
        if (now >= end) return false;
        sleep_while(bell, rung, end - now);
    }
}

} // namespace terzetto::bridge
