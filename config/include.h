// Joining a file and those of its include_dir to one tree. Every node keeps the place it came from.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/node.h"
#include "config/reading.h"

namespace tidegate::config {

// Reads the file and what it includes. None: there is no tree to go on with. What is wrong stands in `reading`.
[[nodiscard]] std::optional<Node> read_tree(Reading& reading, const std::string& path);

// Where each value of the joined tree stands, by its pointer in that tree.
using Places = std::map<std::string, Place>;
[[nodiscard]] Places places_of(const Node& tree);

}  // namespace tidegate::config
