"""Operations re-enacted around the tracker, without Nova's ComputeManager."""
