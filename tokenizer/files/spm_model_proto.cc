#include "tokenizer/files/spm_model_proto.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/absl_view.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

enum class WireType : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kFixed32 = 5,
};

// One field of a protobuf message.
struct Field {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;      // of kVarint, kFixed32 and kFixed64
  std::string_view bytes;  // of kBytes
};

// Reads the fields of a message, which is a part of a file. After an error it
// has no more fields.
class MessageReader {
 public:
  MessageReader(std::string_view file, std::string_view message)
      : rest_(message), file_(file) {}

  // False at the end of the message or at an error.
  bool Next(Field* field) {
    if (rest_.empty() || !status_.ok()) return false;
    uint64_t key = 0;
    if (!ReadVarint(&key)) return false;
    constexpr uint64_t kMaxKey = std::numeric_limits<uint32_t>::max();
    if (key > kMaxKey || key >> 3 == 0) return Fail("a field number");
    field->number = static_cast<uint32_t>(key >> 3);
    field->type = static_cast<WireType>(key & 7);
    switch (field->type) {
      case WireType::kVarint:
        return ReadVarint(&field->value);
      case WireType::kFixed32:
        return ReadFixed(sizeof(uint32_t), &field->value);
      case WireType::kFixed64:
        return ReadFixed(sizeof(uint64_t), &field->value);
      case WireType::kBytes:
        return ReadBytes(&field->bytes);
    }
    return Fail("a wire type of 0, 1, 2 or 5");
  }

  // Notes an error at the current position; always false.
  bool Fail(std::string_view expected) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat(
          "SentencePiece model: expected ", ToAbsl(expected), " near byte ",
          static_cast<size_t>(rest_.data() - file_.data()), " of ",
          file_.size()));
    }
    return false;
  }

  void Adopt(const absl::Status& status) {
    if (status_.ok()) status_ = status;
  }

  std::string_view file() const { return file_; }
  const absl::Status& status() const { return status_; }

 private:
  bool ReadVarint(uint64_t* value) {
    constexpr size_t kMaxBytes = 10;
    *value = 0;
    for (size_t i = 0; i < kMaxBytes && i < rest_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(rest_[i]);
      *value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
      if (byte < 0x80) {
        rest_.remove_prefix(i + 1);
        return true;
      }
    }
    return Fail("a whole varint");
  }

  bool ReadFixed(size_t size, uint64_t* value) {
    if (rest_.size() < size) return Fail("a whole fixed-size number");
    *value = 0;
    for (size_t i = 0; i < size; ++i) {
      *value |= static_cast<uint64_t>(static_cast<unsigned char>(rest_[i]))
                << (8 * i);
    }
    rest_.remove_prefix(size);
    return true;
  }

  bool ReadBytes(std::string_view* bytes) {
    uint64_t size = 0;
    if (!ReadVarint(&size)) return false;
    if (size > rest_.size()) return Fail("a field that ends in its message");
    *bytes = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(static_cast<size_t>(size));
    return true;
  }

  std::string_view rest_;
  const std::string_view file_;
  absl::Status status_;
};

bool Expect(WireType type, const Field& field, MessageReader* reader) {
  if (field.type == type) return true;
  return reader->Fail(absl::StrCat("field ", field.number, " of wire type ",
                                   static_cast<uint32_t>(type)));
}

// Each reads a field into `out` if its wire type fits, else notes an error.
void ReadInt(const Field& field, MessageReader* reader, int32_t* out) {
  if (!Expect(WireType::kVarint, field, reader)) return;
  *out = static_cast<int32_t>(static_cast<uint32_t>(field.value));
}

void ReadBool(const Field& field, MessageReader* reader, bool* out) {
  if (Expect(WireType::kVarint, field, reader)) *out = field.value != 0;
}

void ReadString(const Field& field, MessageReader* reader, std::string* out) {
  if (Expect(WireType::kBytes, field, reader)) out->assign(field.bytes);
}

void ReadText(const Field& field, MessageReader* reader, std::string* out) {
  if (FindInvalidUtf8(field.bytes)) {
    reader->Fail(absl::StrCat("UTF-8 in field ", field.number));
    return;
  }
  ReadString(field, reader, out);
}

// ModelProto.SentencePiece. A type that is none of the enumeration's counts as
// absent, as proto2 has it.
void ReadPiece(std::string_view message, MessageReader* parent,
               SentencePieceModel::Piece* piece) {
  MessageReader reader(parent->file(), message);
  Field field;
  while (reader.Next(&field)) {
    if (field.number == 1) {
      ReadText(field, &reader, &piece->text);
    } else if (field.number == 2) {
      if (!Expect(WireType::kFixed32, field, &reader)) break;
      piece->score = std::bit_cast<float>(static_cast<uint32_t>(field.value));
      if (!std::isfinite(piece->score)) reader.Fail("a finite score");
    } else if (field.number == 3) {
      int32_t type = 0;
      ReadInt(field, &reader, &type);
      if (type >=
              static_cast<int32_t>(SentencePieceModel::PieceType::kNormal) &&
          type <= static_cast<int32_t>(SentencePieceModel::PieceType::kByte)) {
        piece->type = static_cast<SentencePieceModel::PieceType>(type);
      }
    }
  }
  parent->Adopt(reader.status());
}

void ReadTrainerSpec(std::string_view message, MessageReader* parent,
                     SentencePieceModel* model) {
  MessageReader reader(parent->file(), message);
  Field field;
  while (reader.Next(&field)) {
    if (field.number == 3) {
      ReadInt(field, &reader, &model->model_type);
    } else if (field.number == 24) {
      ReadBool(field, &reader, &model->treat_whitespace_as_suffix);
    } else if (field.number == 35) {
      ReadBool(field, &reader, &model->byte_fallback);
    } else if (field.number == 40) {
      ReadInt(field, &reader, &model->unk_id);
    } else if (field.number == 44) {
      ReadText(field, &reader, &model->unk_surface);
    } else if (field.number == 45) {
      ReadText(field, &reader, &model->unk_piece);
    }
  }
  parent->Adopt(reader.status());
}

void ReadNormalizerSpec(std::string_view message, MessageReader* parent,
                        SentencePieceModel* model) {
  MessageReader reader(parent->file(), message);
  Field field;
  while (reader.Next(&field)) {
    if (field.number == 1) {
      ReadText(field, &reader, &model->normalizer_name);
    } else if (field.number == 2) {
      ReadString(field, &reader, &model->precompiled_charsmap);
    } else if (field.number == 3) {
      ReadBool(field, &reader, &model->add_dummy_prefix);
    } else if (field.number == 4) {
      ReadBool(field, &reader, &model->remove_extra_whitespaces);
    } else if (field.number == 5) {
      ReadBool(field, &reader, &model->escape_whitespaces);
    }
  }
  parent->Adopt(reader.status());
}

void ReadDenormalizerSpec(std::string_view message, MessageReader* parent,
                          SentencePieceModel* model) {
  SentencePieceModel other;
  ReadNormalizerSpec(message, parent, &other);
  model->has_denormalizer = !other.precompiled_charsmap.empty();
}

}  // namespace

absl::StatusOr<SentencePieceModel> ParseSpmModel(std::string_view bytes) {
  SentencePieceModel model;
  MessageReader reader(bytes, bytes);
  Field field;
  while (reader.Next(&field)) {
    if (field.number < 1 || field.number > 5 || field.number == 4) continue;
    if (!Expect(WireType::kBytes, field, &reader)) break;
    if (field.number == 1) {
      ReadPiece(field.bytes, &reader, &model.pieces.emplace_back());
    } else if (field.number == 2) {
      ReadTrainerSpec(field.bytes, &reader, &model);
    } else if (field.number == 3) {
      ReadNormalizerSpec(field.bytes, &reader, &model);
    } else {
      ReadDenormalizerSpec(field.bytes, &reader, &model);
    }
  }
  if (!reader.status().ok()) return reader.status();
  if (model.pieces.empty()) {
    return absl::InvalidArgumentError(
        "SentencePiece model: it has no pieces; expected at least one");
  }
  if (model.unk_id < 0 ||
      static_cast<size_t>(model.unk_id) >= model.pieces.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "SentencePiece model: trainer_spec.unk_id is ", model.unk_id,
        "; expected 0 to ", model.pieces.size() - 1));
  }
  return model;
}

}  // namespace deberta::tokenizer
