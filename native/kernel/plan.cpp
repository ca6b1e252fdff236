// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan.hpp"

#include <algorithm>

namespace terzetto {

Plan::Plan(std::size_t template_count, std::size_t frame_count, std::size_t buffers,
           const std::function<void(std::size_t, std::size_t, std::uint16_t*)>& active_bits)
    : frames(frame_count), templates(template_count) {
    std::vector<std::uint16_t> bits(templates);
    std::vector<char> seen(templates, 0);
    strips.reserve((frames + kStripFrames - 1) / kStripFrames);
    for (std::size_t first = 0; first < frames; first += kStripFrames) {
        Strip strip{};
        strip.first_frame = first;
        strip.frames = static_cast<std::uint32_t>(std::min(kStripFrames, frames - first));
        strip.rows_at = rows.size();
        std::fill(bits.begin(), bits.end(), std::uint16_t{0});
        active_bits(first, strip.frames, bits.data());
        for (std::size_t r = 0; r < templates; ++r) {
            if (!bits[r]) continue;
            rows.push_back(static_cast<std::uint32_t>(r));
            seen[r] = 1;
        }
        strip.count = static_cast<std::uint32_t>(rows.size() - strip.rows_at);
        for (std::size_t q = 0; q < kStripQuads; ++q) {
            strip.quad_at[q] = quad_rows.size();
            const auto list = [&](bool first_half, bool last_half) {
                const std::size_t before = quad_rows.size();
                for (std::uint32_t i = 0; i < strip.count; ++i) {
                    const unsigned four = bits[rows[strip.rows_at + i]] >> (q * kQuadFrames);
                    if (((four & 3u) != 0) == first_half && ((four & 12u) != 0) == last_half) quad_rows.push_back(i);
                }
                return static_cast<std::uint32_t>(quad_rows.size() - before);
            };
            strip.early[q] = list(true, false);
            list(true, true);
            strip.late[q] = list(false, true);
        }
        strip.quad_at[kStripQuads] = quad_rows.size();
        most_rows = std::max<std::size_t>(most_rows, strip.count);
        most_quad_rows = std::max(most_quad_rows, strip.quad_at[kStripQuads] - strip.quad_at[0]);
        strips.push_back(strip);
    }
    for (std::size_t r = 0; r < templates; ++r)
        if (seen[r]) active.push_back(static_cast<std::uint32_t>(r));
    divide(buffers);
}

void Plan::divide(std::size_t buffers) {
    // Each part costs `buffers` arrays of up to the size of W: a twentieth of V at most, except that a piece
    // long enough for two threads gets two parts. (More would also cost time, to add them up.)
    const std::size_t affordable = buffers && templates ? frames / (24 * buffers * templates) : 8;
    const std::size_t least = frames >= 512 ? 2 : 1;
    const std::size_t wanted = std::max(least, std::min<std::size_t>(8, affordable));
    const auto cost = [](const Strip& s) { return s.quad_at[kStripQuads] - s.quad_at[0] + kStripQuads; };
    std::size_t total = 0;
    for (const Strip& strip : strips) total += cost(strip);
    std::size_t spent = 0;
    std::size_t first = 0;
    for (std::size_t p = 0; p < wanted && first < strips.size(); ++p) {
        const std::size_t begin = first;
        while (first < strips.size() && (p + 1 == wanted || spent * wanted < total * (p + 1)))
            spent += cost(strips[first++]);
        parts.push_back(part(begin, first));
    }
}

Part Plan::part(std::size_t first, std::size_t last) const {
    Part part{};
    part.first = first;
    part.last = last;
    part.place.assign(templates, 0);
    std::vector<char> seen(templates, 0);
    const std::size_t rows_end = last < strips.size() ? strips[last].rows_at : rows.size();
    for (std::size_t i = strips[first].rows_at; i < rows_end; ++i) seen[rows[i]] = 1;
    for (std::size_t r = 0; r < templates; ++r) {
        if (!seen[r]) continue;
        part.place[r] = static_cast<std::uint32_t>(part.rows.size());
        part.rows.push_back(static_cast<std::uint32_t>(r));
    }
    return part;
}

std::vector<Part> Plan::pairs_of_parts() const {
    std::vector<Part> pairs;
    for (std::size_t p = 0; p < parts.size(); p += 2)
        pairs.push_back(part(parts[p].first, parts[std::min(p + 1, parts.size() - 1)].last));
    return pairs;
}

} // namespace terzetto
