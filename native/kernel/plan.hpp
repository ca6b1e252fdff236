// SPDX-License-Identifier: GPL-3.0-or-later
// Which templates are active where. Notes begin and end all the time: runs of frames with an equal active set last
// two frames or so and are useless as units. Instead, frames come in fixed quads with the union of their active
// templates, and four quads make a strip. A quarter more work than the mask needs; where a template is active in one
// half of a quad only, V H^T and W H leave out the other half, which brings that down to a tenth. (In W^T V a template
// of the first half shares a row with one of the second; two frames at a time would cost it more in loads than they
// save.)
#pragma once

#include "storage.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace terzetto {

struct Strip {
    std::size_t first_frame;
    std::uint32_t frames;                 // 1 .. 16
    std::uint32_t count;                  // templates active in any of them
    std::size_t rows_at;                  // where they begin in Plan::rows
    std::size_t quad_at[kStripQuads + 1]; // where each quad's list begins in Plan::quad_rows
    std::uint32_t early[kStripQuads];     // how many of each list are active in its first two frames only
    std::uint32_t late[kStripQuads];      // how many in its last two frames only
};

// Consecutive strips with their own accumulators. Their number depends on the data only, never on the threads,
// so that sums run in one order and results are bit-identical for any number of threads.
struct Part {
    std::size_t first, last;          // strips [first, last)
    std::vector<std::uint32_t> rows;  // templates active in it, rising
    std::vector<std::uint32_t> place; // template -> index in rows
};

struct Plan {
    std::size_t frames = 0;
    std::size_t templates = 0;
    std::vector<Strip> strips;
    std::vector<std::uint32_t> rows;      // per strip: its templates, rising
    std::vector<std::uint32_t> quad_rows; // per quad: indices into its strip's rows; see Quad
    std::vector<Part> parts;
    std::vector<std::uint32_t> active; // templates active anywhere, rising
    std::size_t most_rows = 0;         // in a strip
    std::size_t most_quad_rows = 0;    // in a strip, over its quads together

    // `active_bits` sets bit f of bits[r] where template r is active in frame first + f, f < count <= 16. `buffers`:
    // accumulators of the size of W a part needs.
    Plan(std::size_t templates, std::size_t frames, std::size_t buffers,
         const std::function<void(std::size_t first, std::size_t count, std::uint16_t* bits)>& active_bits);

    // Every two parts as one.
    std::vector<Part> pairs_of_parts() const;

    // Rows of 16 floats in all strips' activation blocks.
    std::size_t block_rows() const { return rows.size(); }
    std::size_t quad_row_count() const { return quad_rows.size(); }

private:
    void divide(std::size_t buffers);
    Part part(std::size_t first, std::size_t last) const; // of strips [first, last)
};

} // namespace terzetto
