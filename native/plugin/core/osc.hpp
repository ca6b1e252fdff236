// SPDX-License-Identifier: GPL-3.0-or-later
// OSC in fixed memory: the events of a hop, written and read on the audio thread. Each is a bundle of its own after its
// size (32 bits, this machine's byte order), its time tag the frame within the hop.
#pragma once

#include "realtime.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace terzetto::plugin {

struct Argument {
    char type = 'N'; // i f d h s T F N; others are skipped when read
    double number = 0.0;
    std::string_view text{};

    static Argument of_float(float value) { return {'f', value, {}}; }
    static Argument of_int(std::int32_t value) { return {'i', static_cast<double>(value), {}}; }
    static Argument of_bool(bool value) { return {value ? 'T' : 'F', value ? 1.0 : 0.0, {}}; }
    static Argument of_text(std::string_view value) { return {'s', 0.0, value}; }
    bool is_number() const { return type == 'i' || type == 'f' || type == 'd' || type == 'h' || is_bool(); }
    bool is_bool() const { return type == 'T' || type == 'F'; }
};

// Appends events to memory that it is given.
class EventWriter {
public:
    EventWriter(std::uint8_t* data, std::uint32_t capacity) : data_(data), capacity_(capacity) {}

    // False: no room (nothing was written). The address begins with '/'; at most kArguments arguments.
    bool write(std::uint32_t frame, std::string_view address, const Argument* arguments,
               std::uint32_t count) noexcept TERZETTO_REALTIME;
    // All that was written now falls on frame 0: it missed its hop and travels with the next.
    void move_to_start() noexcept TERZETTO_REALTIME;
    void clear() noexcept TERZETTO_REALTIME { bytes_ = 0; }
    const std::uint8_t* data() const { return data_; }
    std::uint32_t bytes() const { return bytes_; }

private:
    std::uint8_t* data_;
    std::uint32_t capacity_, bytes_ = 0;
};

constexpr std::uint32_t kArguments = 8;

struct Event {
    std::uint32_t frame = 0;
    std::string_view address;
    Argument arguments[kArguments];
    std::uint32_t count = 0;
};

// Walks through events that somebody else wrote. What is malformed ends the walk; it never reads beyond the bytes.
class EventReader {
public:
    EventReader(const std::uint8_t* data, std::uint32_t bytes) : next_(data), end_(data + bytes), bundle_end_(data) {}

    bool next(Event& event) noexcept TERZETTO_REALTIME; // false: no more

private:
    const std::uint8_t* next_;
    const std::uint8_t* end_;
    const std::uint8_t* bundle_end_; // of the bundle that next_ is in
    std::uint32_t frame_ = 0;
};

// One OSC message on its own, for a datagram. Returns its bytes, 0 if there is no room.
std::size_t write_message(std::uint8_t* data, std::size_t capacity, std::string_view address, const Argument* arguments,
                          std::uint32_t count) noexcept;

} // namespace terzetto::plugin
