// Faults of the world, returned and never thrown: what was tried, on what, what came back. Faults of ours are asserted.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace footfall {

struct Error {
  enum class Code {
    io,         // the system refused: errno is in the text
    not_found,  // what was asked for is not there
    invalid,    // input off its format or range; the text says where, what and what would be right
    corrupt,    // stored bytes that cannot be what we wrote
    version,    // written by another version of footfall
    full,       // no room: disk, map or a bound of ours
    busy,       // somebody else holds it; the text names the holder where known
  };

  Code code = Code::io;
  std::string text;

  static Error io(std::string text, int error_number);  // appends strerror(error_number); ENOSPC and EDQUOT give `full`
  static Error not_found(std::string text) { return {Code::not_found, std::move(text)}; }
  static Error invalid(std::string text) { return {Code::invalid, std::move(text)}; }
  static Error corrupt(std::string text) { return {Code::corrupt, std::move(text)}; }
  static Error version(std::string text) { return {Code::version, std::move(text)}; }
  static Error full(std::string text) { return {Code::full, std::move(text)}; }
  static Error busy(std::string text) { return {Code::busy, std::move(text)}; }
};

// A value or the error that kept it from being. Reading the wrong one is a fault of ours.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(held_); }
  const T& value() const& { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return std::get<1>(held_); }

 private:
  std::variant<T, Error> held_;
};

// Done, or the error that kept it from being done.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace footfall
