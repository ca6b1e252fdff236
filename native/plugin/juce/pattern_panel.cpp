// SPDX-License-Identifier: GPL-3.0-or-later
#include "pattern_panel.hpp"

#include "look.hpp"

namespace terzetto::plugin {

PatternPanel::PatternPanel(Processor& processor) : processor_(processor) {
    setTitle("Pattern");
    setDescription("Drag the pattern to a track: a MIDI file of a bar, or of four where bars vary.");
    setTooltip(getDescription());
    setMouseCursor(juce::MouseCursor::DraggingHandCursor);
    refresh();
}

void PatternPanel::refresh() {
    const bool ready = !processor_.instance().pattern().empty();
    if (ready == ready_) return;
    ready_ = ready;
    repaint();
}

void PatternPanel::paint(juce::Graphics& g) {
    const auto area = getLocalBounds().toFloat().reduced(0.5f);
    g.setColour(dragging_ ? Look::panel().brighter(0.15f) : Look::panel());
    g.fillRoundedRectangle(area, 5.0f);
    juce::Path edge, dashed;
    edge.addRoundedRectangle(area, 5.0f);
    const float dashes[] = {5.0f, 4.0f};
    juce::PathStrokeType(1.0f).createDashedStroke(dashed, edge, dashes, 2);
    g.setColour(Look::line());
    g.fillPath(dashed);
    g.setFont(juce::Font(14.0f));
    g.setColour(ready_ ? Look::text() : Look::quiet());
    g.drawText(ready_ ? "Drag the pattern to a track (MIDI)" : "No pattern yet", getLocalBounds().reduced(12, 4),
               juce::Justification::centred);
}

juce::File PatternPanel::write() const {
    juce::MemoryOutputStream midi;
    const std::string text = processor_.instance().pattern();
    if (text.empty() || !juce::Base64::convertFromBase64(midi, juce::String::fromUTF8(text.c_str()))) return {};
    const juce::File folder = juce::File::getSpecialLocation(juce::File::tempDirectory).getChildFile("Terzetto Drums");
    if (folder.createDirectory().failed()) return {};
    const juce::File file = folder.getChildFile("pattern.mid").getNonexistentSibling();
    return file.replaceWithData(midi.getData(), midi.getDataSize()) ? file : juce::File();
}

namespace {

// What is handed over in X11 is an address, which JUCE makes of a path without escaping what may not stand in one.
juce::String handed_over(const juce::File& file) {
#if JUCE_LINUX || JUCE_BSD
    return juce::URL(file).toString(false);
#else
    return file.getFullPathName();
#endif
}

} // namespace

void PatternPanel::mouseDrag(const juce::MouseEvent& event) {
    if (dragging_ || event.getDistanceFromDragStart() < 8) return;
    const juce::File file = write();
    if (file == juce::File()) return;
    dragging_ = true;
    const juce::Component::SafePointer<PatternPanel> here(this);
    const bool went =
        juce::DragAndDropContainer::performExternalDragDropOfFiles({handed_over(file)}, false, this, [here] {
            if (here) here->dragging_ = false;
            if (here) here->repaint();
        });
    dragging_ = dragging_ && went;
    repaint();
}

} // namespace terzetto::plugin
