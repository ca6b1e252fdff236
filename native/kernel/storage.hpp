// SPDX-License-Identifier: GPL-3.0-or-later
// Zero-filled floats on a cache-line boundary.
#pragma once

#include "inner_loops.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace terzetto {

class AlignedFloats {
public:
    AlignedFloats() = default;
    explicit AlignedFloats(std::size_t count) : size_(count) {
        // calloc: large blocks come zeroed from the system, untouched pages cost nothing.
        const std::size_t spare = kAlignment / sizeof(float);
        memory_.reset(static_cast<float*>(std::calloc(count + spare, sizeof(float))));
        if (!memory_) throw std::bad_alloc();
        const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
        const std::size_t shift = (kAlignment - address % kAlignment) % kAlignment;
        data_ = memory_.get() + shift / sizeof(float);
    }

    float* data() { return data_; }
    const float* data() const { return data_; }
    std::size_t size() const { return size_; }
    void clear() {
        if (size_) std::memset(data_, 0, size_ * sizeof(float));
    }

private:
    struct Free {
        void operator()(float* p) const { std::free(p); }
    };
    std::unique_ptr<float, Free> memory_;
    float* data_ = nullptr;
    std::size_t size_ = 0;
};

inline std::size_t rounded_up(std::size_t n, std::size_t unit) {
    return (n + unit - 1) / unit * unit;
}

} // namespace terzetto
