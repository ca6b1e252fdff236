// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "plan.hpp"

#include <vector>

namespace terzetto {

// The mask within the plan's blocks, 16 frames a row as bits (frames of a quad where only its neighbours are active
// must stay zero).
class Mask {
public:
    template <class T>
    Mask(const Plan& plan, const T* mask) : plan_(plan), bits_(plan.block_rows(), 0) {
        for (const Strip& strip : plan.strips) {
            for (std::size_t i = 0; i < strip.count; ++i) {
                const T* row = mask + plan.rows[strip.rows_at + i] * plan.frames + strip.first_frame;
                for (std::size_t f = 0; f < strip.frames; ++f)
                    if (row[f] != T(0))
                        bits_[strip.rows_at + i] = static_cast<std::uint16_t>(bits_[strip.rows_at + i] | (1u << f));
            }
        }
    }

    void apply(std::size_t strip, float* block) const {
        const Strip& s = plan_.strips[strip];
        for (std::size_t i = 0; i < s.count; ++i) {
            const unsigned bits = bits_[s.rows_at + i];
            float* row = block + i * kStripFrames;
            if (bits == 0xffffu) continue;
            // A choice and no product: what is masked may be infinite where the input was bad.
            for (std::size_t f = 0; f < kStripFrames; ++f) row[f] = (bits >> f) & 1u ? row[f] : 0.0f;
        }
    }

    // Ones and zeros.
    void write(std::size_t strip, float* block) const {
        const Strip& s = plan_.strips[strip];
        for (std::size_t i = 0; i < s.count; ++i)
            for (std::size_t f = 0; f < kStripFrames; ++f)
                block[i * kStripFrames + f] = static_cast<float>((bits_[s.rows_at + i] >> f) & 1u);
    }

private:
    const Plan& plan_;
    std::vector<std::uint16_t> bits_;
};

} // namespace terzetto
