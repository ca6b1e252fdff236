// SPDX-License-Identifier: GPL-3.0-or-later
#include "osc.hpp"

#include <cmath>
#include <cstring>

namespace terzetto::plugin {

namespace {

constexpr std::size_t kBundleHead = 16; // "#bundle", time tag
constexpr char kBundle[8] = {'#', 'b', 'u', 'n', 'd', 'l', 'e', '\0'};

constexpr std::size_t padded(std::size_t bytes) {
    return (bytes + 4) / 4 * 4;
} // with at least one zero

void put_32(std::uint8_t* at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) at[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

std::uint32_t get_32(const std::uint8_t* at) {
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | std::uint32_t{at[3]};
}

std::uint64_t get_64(const std::uint8_t* at) {
    return std::uint64_t{get_32(at)} << 32 | get_32(at + 4);
}

void put_text(std::uint8_t*& at, std::string_view text) {
    std::memset(at, 0, padded(text.size()));
    std::memcpy(at, text.data(), text.size());
    at += padded(text.size());
}

// A string within [at, end), its padding stepped over; false: it does not end there.
bool get_text(const std::uint8_t*& at, const std::uint8_t* end, std::string_view& text) {
    const auto* zero = static_cast<const std::uint8_t*>(std::memchr(at, 0, static_cast<std::size_t>(end - at)));
    if (!zero) return false;
    text = {reinterpret_cast<const char*>(at), static_cast<std::size_t>(zero - at)};
    if (padded(text.size()) > static_cast<std::size_t>(end - at)) return false;
    at += padded(text.size());
    return true;
}

bool get_argument(char type, const std::uint8_t*& at, const std::uint8_t* end, Argument& argument) {
    const auto left = static_cast<std::size_t>(end - at);
    argument = Argument{type, 0.0, {}};
    switch (type) {
    case 'T':
        argument.number = 1.0;
        return true;
    case 'F':
    case 'N':
    case 'I':
        return true;
    case 's':
    case 'S':
        return get_text(at, end, argument.text);
    case 'i':
    case 'f': {
        if (left < 4) return false;
        const std::uint32_t bits = get_32(at);
        if (type == 'i') {
            argument.number = static_cast<std::int32_t>(bits);
        } else {
            float value;
            std::memcpy(&value, &bits, 4);
            argument.number = static_cast<double>(value);
        }
        at += 4;
        return true;
    }
    case 'c':
    case 'r':
    case 'm':
        if (left < 4) return false;
        at += 4;
        return true;
    case 'h':
    case 'd':
    case 't': {
        if (left < 8) return false;
        const std::uint64_t bits = get_64(at);
        if (type == 'd')
            std::memcpy(&argument.number, &bits, 8);
        else if (type == 'h')
            argument.number = static_cast<double>(static_cast<std::int64_t>(bits));
        at += 8;
        return true;
    }
    case 'b': {
        if (left < 4) return false;
        const std::size_t size = (std::size_t{get_32(at)} + 3) / 4 * 4;
        if (size > left - 4) return false;
        at += 4 + size;
        return true;
    }
    default:
        return false;
    }
}

bool get_message(const std::uint8_t* at, const std::uint8_t* end, Event& event) {
    event.count = 0;
    std::string_view types;
    if (at == end || *at != '/' || !get_text(at, end, event.address)) return false;
    if (at == end) return true; // without a type tag: no arguments
    if (!get_text(at, end, types) || types.empty() || types[0] != ',') return false;
    for (const char type : types.substr(1)) {
        if (type == '[' || type == ']') continue;
        if (event.count == kArguments) return true;
        if (!get_argument(type, at, end, event.arguments[event.count])) return false;
        ++event.count;
    }
    return true;
}

} // namespace

std::size_t write_message(std::uint8_t* data, std::size_t capacity, std::string_view address, const Argument* arguments,
                          std::uint32_t count) noexcept {
    if (count > kArguments) return 0;
    std::size_t size = padded(address.size()) + padded(1 + count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const char type = arguments[i].type;
        size += type == 's' ? padded(arguments[i].text.size()) : type == 'f' || type == 'i' ? 4u : 0u;
    }
    if (size > capacity) return 0;
    std::uint8_t* at = data;
    put_text(at, address);
    char types[kArguments + 1] = {','};
    for (std::uint32_t i = 0; i < count; ++i) types[i + 1] = arguments[i].type;
    put_text(at, {types, 1 + count});
    for (std::uint32_t i = 0; i < count; ++i) {
        const Argument& argument = arguments[i];
        if (argument.type == 's') {
            put_text(at, argument.text);
        } else if (argument.type == 'f') {
            const auto value = static_cast<float>(argument.number);
            std::uint32_t bits;
            std::memcpy(&bits, &value, 4);
            put_32(at, bits);
            at += 4;
        } else if (argument.type == 'i') {
            put_32(at, static_cast<std::uint32_t>(static_cast<std::int32_t>(argument.number)));
            at += 4;
        }
    }
    return size;
}

bool EventWriter::write(std::uint32_t frame, std::string_view address, const Argument* arguments,
                        std::uint32_t count) noexcept {
    constexpr std::size_t head = 4 + kBundleHead + 4; // the event's size, the bundle's head, the message's size
    if (capacity_ - bytes_ < head) return false;
    std::uint8_t* at = data_ + bytes_;
    const std::size_t message = write_message(at + head, capacity_ - bytes_ - head, address, arguments, count);
    if (message == 0) return false;
    const auto size = static_cast<std::uint32_t>(kBundleHead + 4 + message);
    std::memcpy(at, &size, 4);
    std::memcpy(at + 4, kBundle, 8);
    put_32(at + 12, 0);
    put_32(at + 16, frame);
    put_32(at + 20, static_cast<std::uint32_t>(message));
    bytes_ += 4 + size;
    return true;
}

void EventWriter::move_to_start() noexcept {
    for (std::uint32_t at = 0; at < bytes_;) {
        std::uint32_t size;
        std::memcpy(&size, data_ + at, 4);
        put_32(data_ + at + 16, 0);
        at += 4 + size;
    }
}

bool EventReader::next(Event& event) noexcept {
    for (;;) {
        while (bundle_end_ - next_ >= 4) {
            const std::uint32_t size = get_32(next_);
            next_ += 4;
            if (size > static_cast<std::size_t>(bundle_end_ - next_)) {
                next_ = bundle_end_;
                break;
            }
            const std::uint8_t* at = next_;
            next_ += size;
            event.frame = frame_;
            if (get_message(at, at + size, event)) return true; // a nested bundle or rubbish is stepped over
        }
        next_ = bundle_end_;
        if (end_ - next_ < 4) return false;
        std::uint32_t size;
        std::memcpy(&size, next_, 4);
        if (size > static_cast<std::size_t>(end_ - next_ - 4)) return false;
        const std::uint8_t* bundle = next_ + 4;
        bundle_end_ = bundle + size;
        if (size < kBundleHead || std::memcmp(bundle, kBundle, 8) != 0) {
            next_ = bundle_end_;
            continue;
        }
        const std::uint64_t tag = get_64(bundle + 8);
        frame_ = tag > 0xffffffffu ? 0xffffffffu : static_cast<std::uint32_t>(tag);
        next_ = bundle + kBundleHead;
    }
}

} // namespace terzetto::plugin
