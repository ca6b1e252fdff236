// SPDX-License-Identifier: GPL-3.0-or-later
#include "state.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <mutex>

namespace terzetto::plugin {

using nlohmann::json;

namespace {

constexpr const char* kFormat = "terzetto-plugin";
constexpr std::int64_t kVersion = 1;
constexpr const char* kBrought = "brought";

// The shortest decimal that is this float, so that 0.1 stays 0.1 in the text.
double decimal(float value) {
    char digits[64];
    const auto end = std::to_chars(digits, digits + sizeof digits - 1, value).ptr;
    *end = '\0';
    return std::strtod(digits, nullptr);
}

json value_of(const ParameterInfo& p, float value) {
    switch (p.type) {
    case ParameterType::bool_:
        return value > 0.5f;
    case ParameterType::choice_:
        return p.choices[static_cast<std::uint32_t>(value)];
    default:
        return decimal(value);
    }
}

// NaN: not a value of this parameter.
float float_of(const ParameterInfo& p, const json& value) {
    if (value.is_number()) return value.get<float>();
    if (value.is_boolean()) return value.get<bool>() ? 1.0f : 0.0f;
    if (value.is_string())
        for (std::uint32_t i = 0; i < p.choice_count; ++i)
            if (value.get_ref<const std::string&>() == p.choices[i]) return static_cast<float>(i);
    return std::nanf("");
}

bool kept(const ParameterInfo& p) {
    return !p.meter && p.type != ParameterType::trigger_;
}

// Reading, copying and writing JSON recurses: a text that nests without end is refused before.
bool deep(std::string_view text) {
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '\\')
            ++i;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            ++depth;
        else if (!quoted && (c == '}' || c == ']'))
            --depth;
        if (depth > 100) return true;
    }
    return false;
}

json parsed(std::string_view text) {
    return deep(text) ? json() : json::parse(text.begin(), text.end(), nullptr, false);
}

std::string rate_key(double sample_rate) {
    return std::to_string(std::llround(sample_rate));
}

} // namespace

struct State::Document {
    mutable std::mutex lock;
    json root;
    std::uint64_t brought = 0;
};

State::State(Parameters& parameters) : parameters_(parameters), document_(std::make_unique<Document>()) {
    document_->root = {
        {"format", kFormat},       {"version", kVersion},      {"instrument", parameters.instrument().name},
        {"instance", ""},          {"values", json::object()}, {"latency", json::object()},
        {"engine", json::object()}};
}

State::~State() = default;

std::string State::written(bool for_engine) const {
    json copy;
    {
        const std::lock_guard<std::mutex> hold(document_->lock);
        copy = document_->root;
        if (for_engine) copy[kBrought] = document_->brought;
    }
    for (std::uint32_t i = 0; i < parameters_.count(); ++i)
        if (kept(parameters_.info(i)))
            copy["values"][parameters_.info(i).name] = value_of(parameters_.info(i), parameters_.value(i));
    return copy.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string State::text() const {
    return written(false);
}

std::string State::text_for_engine() const {
    return written(true);
}

std::string State::take(std::string_view text) {
    json root = parsed(text);
    if (!root.is_object()) return "The saved state is damaged (no JSON object); the settings stay as they are.";
    if (root.value("format", json()) != kFormat)
        return "The saved state is not one of Terzetto's plugins; the settings stay as they are.";
    const json version = root.value("version", json());
    if (!version.is_number_integer() || version.get<std::int64_t>() < 1)
        return "The saved state is damaged (no version); the settings stay as they are.";
    if (version.get<std::int64_t>() > kVersion)
        return "The saved state is from a newer Terzetto; update it, then open the session again.";
    const std::string instrument = parameters_.instrument().name;
    if (root.value("instrument", json()) != instrument)
        return "The saved state is of another instrument, not " + instrument + "; the settings stay as they are.";
    for (const char* key : {"values", "latency", "engine"}) {
        if (!root.contains(key)) root[key] = json::object();
        if (!root[key].is_object())
            return std::string("The saved state is damaged (") + key + "); the settings stay as they are.";
    }
    if (!root.value("instance", json()).is_string()) root["instance"] = "";
    for (std::uint32_t i = 0; i < parameters_.count(); ++i) {
        const ParameterInfo& p = parameters_.info(i);
        const auto value = root["values"].find(p.name);
        if (kept(p)) parameters_.set(i, value == root["values"].end() ? p.initial : float_of(p, *value));
    }
    const std::lock_guard<std::mutex> hold(document_->lock);
    if (root["engine"] != document_->root["engine"]) ++document_->brought;
    document_->root = std::move(root);
    return {};
}

bool State::take_engine(std::string_view text) {
    json root = parsed(text);
    if (!root.is_object()) return false;
    const std::lock_guard<std::mutex> hold(document_->lock);
    const auto brought = root.find(kBrought);
    if (brought != root.end()) {
        // What an engine kept before it has taken up the newest would undo it.
        if (*brought != document_->brought) return false;
        root.erase(brought);
    }
    document_->root["engine"] = std::move(root);
    return true;
}

std::uint64_t State::brought() const {
    const std::lock_guard<std::mutex> hold(document_->lock);
    return document_->brought;
}

std::string State::text_at(std::initializer_list<const char*> keys) const {
    const std::lock_guard<std::mutex> hold(document_->lock);
    const json* at = &document_->root["engine"];
    for (const char* key : keys) {
        const auto found = at->is_object() ? at->find(key) : at->end();
        if (!at->is_object() || found == at->end()) return {};
        at = &*found;
    }
    return at->is_string() ? at->get<std::string>() : std::string();
}

std::string State::score() const {
    return text_at({parameters_.instrument().name, "score", "path"});
}

std::string State::pattern() const {
    return text_at({parameters_.instrument().name, "midi"});
}

Sources State::sources() const {
    const std::lock_guard<std::mutex> hold(document_->lock);
    const json kept = document_->root["engine"].value(parameters_.instrument().name, json());
    Sources found;
    if (!kept.is_object()) return found;
    const auto text = [](const json& from, const char* key) {
        const auto value = from.is_object() ? from.find(key) : from.end();
        return value != from.end() && value->is_string() ? value->get<std::string>() : std::string();
    };
    found.model = text(kept, "model");
    found.target = text(kept, "target");
    found.other_model = text(kept, "other_model");
    found.other_target = text(kept, "other_target");
    for (const json& each : kept.value("installed", json::array()))
        if (each.is_string()) found.installed.push_back(each.get<std::string>());
    for (const json& each : kept.value("instruments", json::array())) {
        const auto share = [&each](const char* key) {
            const auto value = each.is_object() ? each.find(key) : each.end();
            return value != each.end() && value->is_number() ? value->get<float>() : std::nanf("");
        };
        const Sources::Place place{text(each, "name"), share("x"), share("y")};
        if (!place.name.empty() && place.x >= 0.0f && place.x <= 1.0f && place.y >= 0.0f && place.y <= 1.0f)
            found.instruments.push_back(place);
    }
    return found;
}

void State::set_instance(std::string_view name) {
    const std::lock_guard<std::mutex> hold(document_->lock);
    document_->root["instance"] = std::string(name);
}

std::string State::instance() const {
    const std::lock_guard<std::mutex> hold(document_->lock);
    return document_->root["instance"].get<std::string>();
}

std::uint32_t State::latency(double sample_rate) const {
    const std::lock_guard<std::mutex> hold(document_->lock);
    const json& known = document_->root["latency"];
    const auto found = known.find(rate_key(sample_rate));
    if (found == known.end() || !found->is_number_unsigned()) return 0;
    const auto frames = found->get<std::uint64_t>();
    return frames <= static_cast<std::uint64_t>(2.0 * sample_rate) ? static_cast<std::uint32_t>(frames) : 0;
}

void State::set_latency(double sample_rate, std::uint32_t frames) {
    const std::lock_guard<std::mutex> hold(document_->lock);
    document_->root["latency"][rate_key(sample_rate)] = frames;
}

} // namespace terzetto::plugin
