// SPDX-License-Identifier: GPL-3.0-or-later
// Multiplicative updates drive entries towards zero through the denormal range, where arithmetic is many times
// slower: they are flushed to zero while a FlushDenormals lives, in the thread that made it. FlushDenormals(false)
// gives the caller's code (a callback) the usual arithmetic back meanwhile.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64) || defined(__SSE2__)
#include <xmmintrin.h>
#define TERZETTO_HAS_MXCSR 1
#endif

namespace terzetto {

class FlushDenormals {
public:
#if defined(TERZETTO_HAS_MXCSR)
    explicit FlushDenormals(bool on = true) : before_(_mm_getcsr()) {
        constexpr unsigned bits = 0x8040u; // flush to zero, denormals are zero
        _mm_setcsr(on ? before_ | bits : before_ & ~bits);
    }
    ~FlushDenormals() { _mm_setcsr(before_); }
#elif defined(__aarch64__) && defined(__GNUC__)
    explicit FlushDenormals(bool on = true) {
        constexpr std::uint64_t bit = std::uint64_t{1} << 24;
        __asm__ __volatile__("mrs %0, fpcr" : "=r"(before_));
        __asm__ __volatile__("msr fpcr, %0" : : "r"(on ? before_ | bit : before_ & ~bit));
    }
    ~FlushDenormals() { __asm__ __volatile__("msr fpcr, %0" : : "r"(before_)); }
#else
    explicit FlushDenormals(bool = true) {}
    ~FlushDenormals() {}
#endif
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(TERZETTO_HAS_MXCSR)
    unsigned before_;
#elif defined(__aarch64__) && defined(__GNUC__)
    std::uint64_t before_ = 0;
#endif
};

} // namespace terzetto
