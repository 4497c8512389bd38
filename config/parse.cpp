// The only file with nlohmann/json. Its SAX interface gives no positions, and its tree keeps the last of two equal keys
// in silence; so the lexer reads through an iterator that counts, and the tree is ours.
//
// How a token's begin is known: an event comes when its token was read and nothing behind it (a number's lexer looks
// one byte ahead). Between the end of one token and the begin of the next stand only blanks, comments, commas and
// colons, so that skipping those from the last end finds it.
#include "config/parse.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "gateway/base/topic.h"

namespace tidegate::config {
namespace {

using Json = nlohmann::json;

constexpr size_t message_bytes_max = 200;

// Reads a text and keeps the count of bytes taken where the handler can see it.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, size_t* taken) : at_(at), taken_(taken) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*taken_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  size_t* taken_;
};

// Walks forward over the text and knows line and column.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // byte order mark: no column
  }

  void move_to(size_t offset) {
    offset = std::min(offset, text_.size());
    while (at_ < offset) step();
  }

  void skip_between_tokens() {
    while (at_ < text_.size()) {
      if (std::strchr(" \t\r\n:", text_[at_]) != nullptr && text_[at_] != '\0') {
        step();
      } else if (text_[at_] == ',') {
        comma_ = Comma{line_, column_};
        step();
      } else if (text_.substr(at_, 2) == "//") {
        while (at_ < text_.size() && text_[at_] != '\n') step();
      } else if (text_.substr(at_, 2) == "/*") {
        size_t end = text_.find("*/", at_ + 2);
        move_to(end == std::string_view::npos ? text_.size() : end + 2);
      } else {
        return;
      }
    }
  }

  // Past a number that begins here.
  void skip_number() {
    while (at_ < text_.size() && std::strchr("+-.0123456789eE", text_[at_]) != nullptr && text_[at_] != '\0') step();
  }

  struct Comma {
    uint32_t line, column;
  };
  void forget_comma() { comma_.reset(); }
  [[nodiscard]] std::optional<Comma> comma() const { return comma_; }  // since forget_comma
  [[nodiscard]] size_t offset() const { return at_; }
  [[nodiscard]] uint32_t line() const { return line_; }
  [[nodiscard]] uint32_t column() const { return column_; }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  void step() {
    auto byte = static_cast<unsigned char>(text_[at_++]);
    if (byte == '\n') {
      ++line_;
      column_ = 1;
    } else if (at_ >= text_.size() || (static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) {
      ++column_;  // the next byte begins a character
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  uint32_t column_ = 1;
  std::optional<Comma> comma_;
};

// Of nlohmann's "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing value -
// invalid string; last read: '...'" what stands between. What was read may be part of a secret.
std::string without_preamble_and_quote(const std::string& what) {
  size_t at = what.find(": ");
  std::string message = at == std::string::npos ? what : what.substr(at + 2);
  message.resize(std::min(message.size(), message.find("; last read: ")));
  if (message.size() > message_bytes_max || !is_valid_utf8_string(message)) {  // it quotes a number too large
    message.resize(std::min(message.size(), message_bytes_max));
    for (char& c : message)
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return message;
}

class TreeBuilder final : public nlohmann::json_sax<Json> {
 public:
  TreeBuilder(std::string_view text, const std::string& file, const size_t& taken)
      : cursor_(text), file_(file), taken_(taken) {}

  bool null() override { return add(Kind::null); }
  bool boolean(bool value) override {
    if (!add(Kind::boolean)) return false;
    last_->boolean = value;
    return true;
  }
  bool number_integer(number_integer_t) override { return add_number(); }
  bool number_unsigned(number_unsigned_t) override { return add_number(); }
  bool number_float(number_float_t, const string_t&) override { return add_number(); }
  bool string(string_t& value) override {
    if (!add(Kind::string)) return false;
    last_->text = std::move(value);
    return true;
  }
  bool binary(binary_t&) override { return fail_here("binary is not JSON"); }
  bool start_object(std::size_t) override { return open(Kind::object); }
  bool start_array(std::size_t) override { return open(Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    begin_token();
    Node& object = *open_.back();
    if (++values_ > values_max) return too_many();
    std::string pointer = child_pointer(object.place.pointer, name);
    Place place{file_, cursor_.line(), cursor_.column(), std::move(pointer)};
    object.members.push_back(Member{std::move(name), std::move(place), {}});
    end_token();
    return true;
  }

  bool parse_error(std::size_t, const std::string& last_token, const nlohmann::detail::exception& e) override {
    begin_token();
    Place place{file_, cursor_.line(), cursor_.column(), open_.empty() ? "" : open_.back()->place.pointer};
    std::string message = without_preamble_and_quote(e.what());
    bool at_end = last_token.empty() || cursor_.offset() >= cursor_.text().size();
    bool closes = !last_token.empty() && (last_token.back() == '}' || last_token.back() == ']');
    if (closes && !at_end && cursor_.comma()) {
      place.line = cursor_.comma()->line;
      place.column = cursor_.comma()->column;
      message = "a trailing comma is not allowed: remove it";
    }
    problem_ = Problem{Severity::error, std::move(place), std::move(message)};
    return false;
  }

  tl::expected<Node, Problem> take() {
    if (problem_) return tl::unexpected(std::move(*problem_));
    return std::move(root_);
  }
  bool failed() const { return problem_.has_value(); }
  bool fail_here(std::string message) {
    problem_ = Problem{Severity::error, {file_, cursor_.line(), cursor_.column(), ""}, std::move(message)};
    return false;
  }

 private:
  void begin_token() { cursor_.skip_between_tokens(); }
  void end_token() {
    cursor_.move_to(taken_);
    cursor_.forget_comma();
  }
  bool too_many() { return fail_here("more than " + std::to_string(values_max) + " values in one file"); }

  // Puts a new value where it belongs and leaves it in last_.
  bool place_value(Kind kind) {
    begin_token();
    if (++values_ > values_max) return too_many();
    Node node;
    node.kind = kind;
    node.place = Place{file_, cursor_.line(), cursor_.column(), ""};
    if (open_.empty()) {
      root_ = std::move(node);
      last_ = &root_;
      return true;
    }
    Node& parent = *open_.back();
    if (parent.kind == Kind::array) {
      node.place.pointer = child_pointer(parent.place.pointer, parent.items.size());
      parent.items.push_back(std::move(node));
      last_ = &parent.items.back();
    } else {
      Member& member = parent.members.back();
      node.place.pointer = member.key_place.pointer;
      member.value = std::move(node);
      last_ = &member.value;
    }
    return true;
  }

  bool add(Kind kind) {
    if (!place_value(kind)) return false;
    end_token();
    return true;
  }

  bool add_number() {
    if (!place_value(Kind::number)) return false;
    size_t begin = cursor_.offset();
    cursor_.skip_number();
    cursor_.forget_comma();
    last_->text = cursor_.text().substr(begin, cursor_.offset() - begin);
    return true;
  }

  // Pointers to open nodes stay valid: a parent's vector grows only while none of its children is open.
  bool open(Kind kind) {
    if (!place_value(kind)) return false;
    if (open_.size() >= nesting_max) return fail_here("nested deeper than " + std::to_string(nesting_max) + " levels");
    open_.push_back(last_);
    end_token();
    return true;
  }

  bool close() {
    begin_token();
    open_.pop_back();
    end_token();
    return true;
  }

  Cursor cursor_;
  const std::string& file_;
  const size_t& taken_;
  Node root_;
  Node* last_ = nullptr;
  std::vector<Node*> open_;
  size_t values_ = 0;
  std::optional<Problem> problem_;
};

}  // namespace

tl::expected<Node, Problem> parse_json(std::string_view text, const std::string& file) {
  if (text.size() > file_bytes_max) {
    std::string message = "the file has " + std::to_string(text.size()) + " bytes; at most 4 MiB are read";
    return tl::unexpected(Problem{Severity::error, {file, 0, 0, ""}, std::move(message)});
  }
  size_t taken = 0;
  TreeBuilder builder(text, file, taken);
  bool ok = false;
  try {
    CountingIterator begin(text.data(), &taken), end(text.data() + text.size(), &taken);
    ok = Json::sax_parse(begin, end, &builder, Json::input_format_t::json, /*strict=*/true, /*ignore_comments=*/true);
  } catch (const std::exception& e) {
    builder.fail_here(e.what());
  }
  if (!ok && !builder.failed()) builder.fail_here("not JSON");
  return builder.take();
}

}  // namespace tidegate::config
