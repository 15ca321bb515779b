"""Operations carried out by Nova's own ComputeManager."""
