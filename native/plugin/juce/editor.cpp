// SPDX-License-Identifier: GPL-3.0-or-later
#include "editor.hpp"

#include <utility>

namespace terzetto::plugin {

namespace {

constexpr int kWidth = 560, kMargin = 16, kHeader = 46, kScore = 58, kFader = 92, kFaders = 196, kRow = 36,
              kFooter = 30, kStatus = 34;

juce::Colour colour_of(Condition condition, juce::Colour accent) {
    switch (condition) {
    case Condition::Running:
        return accent;
    case Condition::Starting:
    case Condition::Late:
        return juce::Colour(0xffe0b24a);
    case Condition::Absent:
    case Condition::Failed:
        break;
    }
    return juce::Colour(0xffdd6257);
}

} // namespace

template <typename Kind, typename... Rest>
void Editor::add(std::vector<Control*>& row, HostParameter& parameter, Rest&&... rest) {
    controls_.push_back(std::make_unique<Kind>(parameter, std::forward<Rest>(rest)...));
    row.push_back(controls_.back().get());
    addAndMakeVisible(*controls_.back());
}

Editor::Editor(Processor& processor)
    : AudioProcessorEditor(processor), processor_(processor), look_(processor.instance().instrument().name) {
    setLookAndFeel(&look_);
    HostParameter *across = processor.parameter("pad_x"), *up = processor.parameter("pad_y");
    if (across && up) {
        pad_ = std::make_unique<Pad>(*across, *up);
        addAndMakeVisible(*pad_);
    }
    const InstrumentInfo& instrument = processor.instance().instrument();
    for (std::uint32_t i = 0; i < instrument.count; ++i) {
        const ParameterInfo& info = instrument.parameters[i];
        HostParameter& parameter = *processor.parameter(info.name);
        if (info.meter || &parameter == across || &parameter == up) continue;
        if (std::string_view(info.name) == "learn") {
            score_ = std::make_unique<ScorePanel>(processor, parameter);
            addAndMakeVisible(*score_);
        } else if (info.scope == Scope::Shared || info.type == ParameterType::bool_) {
            add<Switch>(footer_, parameter);
        } else if (info.type == ParameterType::choice_) {
            add<Choices>(rows_, parameter);
        } else if (info.type == ParameterType::float_) {
            const bool upright = std::string_view(info.unit) == "dB";
            add<Fader>(upright ? faders_ : rows_, parameter, upright);
        }
    }
    const int body = juce::jmax(faders_.empty() && !pad_ ? 60 : kFaders, static_cast<int>(rows_.size()) * kRow);
    setSize(kWidth, kHeader + (score_ ? kScore + kMargin : 0) + body + kMargin + kFooter + kStatus);
    sendLookAndFeelChange(); // the parts were made before they had a look
    refresh();
    startTimerHz(10);
}

Editor::~Editor() {
    setLookAndFeel(nullptr);
}

void Editor::refresh() {
    const View before = std::move(view_);
    view_ = processor_.instance().view();
    for (auto& control : controls_) control->refresh();
    if (pad_) pad_->refresh();
    if (score_) score_->show(view_);
    const HostParameter* meter = processor_.parameter("late_blocks");
    const int late = meter ? juce::roundToInt(meter->plain()) : 0, late_before = std::exchange(late_, late);
    if (late != late_before || before.status != view_.status || before.condition != view_.condition ||
        before.instance != view_.instance || before.osc_port != view_.osc_port)
        repaint();
}

void Editor::paint(juce::Graphics& g) {
    g.fillAll(Look::background());
    auto area = getLocalBounds();
    auto header = area.removeFromTop(kHeader).reduced(kMargin, 0);
    g.setColour(look_.accent());
    g.fillRect(getLocalBounds().removeFromTop(3));
    g.setColour(Look::text());
    g.setFont(juce::Font(19.0f, juce::Font::bold));
    g.drawText(processor_.getName(), header.withWidth(220), juce::Justification::centredLeft);
    juce::String whereabouts = juce::String::fromUTF8(view_.instance.c_str());
    if (view_.osc_port > 0) whereabouts << (whereabouts.isEmpty() ? "" : "   ") << "OSC port " << view_.osc_port;
    g.setFont(juce::Font(14.0f));
    g.setColour(Look::quiet());
    g.drawText(whereabouts, header, juce::Justification::centredRight);
    if (faders_.empty() && rows_.empty() && !pad_) {
        g.drawText(juce::String::fromUTF8(processor_.instance().instrument().description),
                   area.removeFromTop(60).reduced(kMargin, 0), juce::Justification::centredLeft);
    }
    if (late_ > 0) {
        const auto footer = getLocalBounds().withTrimmedBottom(kStatus).removeFromBottom(kFooter).reduced(kMargin, 0);
        g.drawText(juce::String(late_) + (late_ == 1 ? " late block" : " late blocks"), footer,
                   juce::Justification::centredRight);
    }
    auto status = getLocalBounds().removeFromBottom(kStatus);
    g.setColour(Look::panel());
    g.fillRect(status);
    status.reduce(kMargin, 0);
    g.setColour(colour_of(view_.condition, look_.accent()));
    g.fillEllipse(status.removeFromLeft(9).withSizeKeepingCentre(9, 9).toFloat());
    status.removeFromLeft(9);
    g.setColour(Look::text());
    g.setFont(juce::Font(13.0f));
    g.drawFittedText(juce::String::fromUTF8(view_.status.c_str()), status, juce::Justification::centredLeft, 2, 0.9f);
}

void Editor::resized() {
    auto area = getLocalBounds();
    area.removeFromTop(kHeader);
    area.removeFromBottom(kStatus);
    auto footer = area.removeFromBottom(kFooter).reduced(kMargin, 0);
    for (Control* control : footer_) control->setBounds(footer.removeFromLeft(140));
    area.removeFromBottom(kMargin / 2);
    area.reduce(kMargin, 0);
    if (score_) {
        score_->setBounds(area.removeFromTop(kScore));
        area.removeFromTop(kMargin);
    }
    for (Control* control : faders_) control->setBounds(area.removeFromLeft(kFader));
    if (!faders_.empty()) area.removeFromLeft(kMargin);
    if (pad_) {
        pad_->setBounds(area.removeFromLeft(kFaders).withHeight(kFaders));
        area.removeFromLeft(kMargin);
    }
    const int pitch = rows_.empty() ? kRow : juce::jmin(50, area.getHeight() / static_cast<int>(rows_.size()));
    for (Control* control : rows_)
        control->setBounds(area.removeFromTop(pitch).withSizeKeepingCentre(area.getWidth(), 28));
}

} // namespace terzetto::plugin
