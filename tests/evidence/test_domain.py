"""The domain of a head: distances against scikit-learn, limits against counts, masks against marginals."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from emer.errors import ConfigError, OpinionError
from emer.evidence.domain import (
    Domain,
    Measured,
    distances,
    fit_domain,
    load_domains,
    place,
    save_domains,
)
from emer.types import Features

NAMES = ("pitch", "loudness", "rate", "breath", "steps")


def made(n: int, seed: int, *, shift: float = 0.0, missing: float = 0.0) -> Measured:
    """Correlated numbers on scales from 1 to 10,000."""
    draw = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(5, 5))
    values = (draw.normal(size=(n, 5)) @ mix + 3 + shift) * 10.0 ** np.arange(5)
    mask = draw.random((n, 5)) >= missing
    return Measured(tuple(f"{seed}-{i}" for i in range(n)), np.where(mask, values, 0.0), mask)


@pytest.fixture(scope="module")
def domain() -> Domain:
    return fit_domain(made(400, 1), made(200, 2), NAMES, data="made up")


def features(values: np.ndarray, mask: np.ndarray | None = None) -> Features:
    seen = np.ones(5, dtype=bool) if mask is None else mask
    return Features("audio", NAMES, tuple(values.tolist()), tuple(seen.tolist()), "1")


# ---------------------------------------------------------------- against scikit-learn


def wide(n: int, seed: int) -> Measured:
    """Forty features that six hidden numbers and some noise make: PCA leaves most of them out."""
    draw, mix = np.random.default_rng(seed), np.random.default_rng(5).normal(size=(6, 40))
    values = draw.normal(size=(n, 6)) @ mix + 0.3 * draw.normal(size=(n, 40))
    return Measured(tuple(f"{seed}-{i}" for i in range(n)), values, np.ones(values.shape, dtype=bool))


WIDE = tuple(f"f{i}" for i in range(40))


def test_distances_are_scikit_learns_mahalanobis_over_principal_components() -> None:
    train, others = wide(300, 1), wide(50, 3)
    mean, sd = train.values.mean(axis=0), train.values.std(axis=0)
    pca = PCA(n_components=0.95).fit((train.values - mean) / sd)
    assert 4 <= pca.n_components_ <= 6
    scores = pca.transform((train.values - mean) / sd)
    oracle = EmpiricalCovariance(assume_centered=True).fit(scores)
    expected = oracle.mahalanobis(pca.transform((others.values - mean) / sd)) / pca.n_components_
    found = distances(fit_domain(train, wide(50, 2), WIDE, data="made up"), others.values, others.mask)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("kept", [30, 9, 3])
def test_what_is_masked_is_left_out_as_the_marginal_of_the_density(kept: int) -> None:
    """Against the joint normal distribution of components and features, conditioned by inverting its covariance."""
    domain = fit_domain(wide(300, 1), wide(50, 2), WIDE, data="made up")
    rows, mask = wide(40, 4), np.arange(40) < kept
    part = domain.loadings[mask]
    inverse = np.linalg.inv(part @ part.T + domain.noise * np.eye(kept))
    estimate = ((rows.values - domain.mean) * domain.scale)[:, mask] @ inverse @ part
    spread = part.T @ inverse @ part
    rank = min(kept, part.shape[1])
    # where three features must tell six components, directions that they do not tell are left out
    expected = np.einsum("ri,ij,rj->r", estimate, np.linalg.pinv(spread, rcond=1e-9), estimate) / rank
    np.testing.assert_allclose(distances(domain, rows.values, np.tile(mask, (40, 1))), expected, rtol=1e-6)


def test_the_distance_of_a_clip_like_the_others_is_about_one_whatever_was_measured() -> None:
    domain = fit_domain(wide(3000, 1), wide(50, 2), WIDE, data="made up")
    rows = wide(3000, 4)
    for kept in (40, 20, 5):
        seen = np.tile(np.arange(40) < kept, (3000, 1))
        assert distances(domain, rows.values, seen).mean() == pytest.approx(1, abs=0.06)


def test_a_feature_that_never_varied_is_not_looked_at() -> None:
    def flat(rows: Measured) -> Measured:
        values = rows.values.copy()
        values[:, 2] = 7.0
        return Measured(rows.rows, values, rows.mask)

    still = fit_domain(flat(made(100, 1)), flat(made(50, 2)), NAMES, data="made up")
    one = flat(made(1, 3)).values
    other = one.copy()
    other[0, 2] = 1e9
    seen = np.ones((1, 5), dtype=bool)
    assert distances(still, one, seen) == pytest.approx(distances(still, other, seen))


# ---------------------------------------------------------------- the limit


def test_the_limit_keeps_its_share_of_the_held_out_rows_and_of_new_ones(domain: Domain) -> None:
    held_out, new = made(200, 2), made(4000, 5)
    inside = distances(domain, held_out.values, held_out.mask) <= domain.record.limit
    assert inside.sum() == 199  # the smallest number of 200 rows that is at least 99 % and leaves a row outside
    share = (distances(domain, new.values, new.mask) <= domain.record.limit).mean()
    assert share > 0.96  # the limit is the second largest of 200 distances: .99 +- .007


def test_clips_from_elsewhere_are_told_apart(domain: Domain) -> None:
    far, near = made(300, 6, shift=4.0), made(300, 8)
    scores = np.concatenate([distances(domain, each.values, each.mask) for each in (near, far)])
    assert roc_auc_score(np.repeat([0, 1], 300), scores) > 0.9


def test_rows_with_gaps_can_train_a_domain() -> None:
    gappy = fit_domain(made(100, 1, missing=0.5), made(60, 2, missing=0.3), NAMES, data="made up")
    far, near = made(100, 6, shift=6.0, missing=0.2), made(100, 8, missing=0.2)
    scores = np.concatenate([distances(gappy, each.values, each.mask) for each in (near, far)])
    assert np.isfinite(scores).all()
    assert roc_auc_score(np.repeat([0, 1], 100), scores) > 0.8


# ---------------------------------------------------------------- one clip


def test_a_clip_is_placed_by_name_and_told_why_it_is_outside(domain: Domain) -> None:
    middle = place(domain, features(domain.mean))
    assert (middle.inside, middle.distance, middle.why) == (True, 0.0, "")
    outside = place(domain, features(domain.mean + 20 / domain.scale))
    assert not outside.inside
    assert "lie at distance" in outside.why
    assert "from made up, where 99 % of held-out clips lie within" in outside.why
    turned = Features("audio", NAMES[::-1], tuple(domain.mean[::-1].tolist()), (True,) * 5, "1")
    assert place(domain, turned).distance == 0.0


def test_a_clip_of_which_little_was_measured_is_outside(domain: Domain) -> None:
    assert domain.record.least == 4  # of five features, which all held-out clips have, four fifths
    mask = np.array([True, True, False, False, False])
    assert place(domain, features(domain.mean, mask)).why.startswith("only 2 of 5 audio features could be measured")
    nothing = place(domain, features(domain.mean * 0, mask & False))
    assert (nothing.distance, nothing.inside) == (None, False)


def test_features_that_do_not_fit_are_refused(domain: Domain) -> None:
    with pytest.raises(ConfigError, match="audio features lack rate, breath, steps; measure the clip again"):
        place(domain, Features("audio", NAMES[:2], (1.0, 2.0), (True, True), "1"))
    with pytest.raises(OpinionError, match="NaN or infinite"):
        place(domain, features(domain.mean * np.nan))


# ---------------------------------------------------------------- what is refused, and files


def test_a_limit_from_training_rows_or_from_too_few_is_refused() -> None:
    with pytest.raises(ConfigError, match="100 rows of the limit of the domain were seen in its training"):
        fit_domain(made(100, 1), made(100, 1), NAMES, data="made up")
    with pytest.raises(ConfigError, match="19 held-out rows are too few for a domain; give at least 20"):
        fit_domain(made(100, 1), made(19, 2), NAMES, data="made up")
    with pytest.raises(ConfigError, match=r"4 names have values of shape \(100, 5\)"):
        fit_domain(made(100, 1), made(100, 2), NAMES[:4], data="made up")
    with pytest.raises(ConfigError, match=r"quantile 1 of the domain must lie between 0.5 and 1"):
        fit_domain(made(100, 1), made(100, 2), NAMES, data="made up", quantile=1.0)


def test_domains_come_back_from_disk_unchanged(domain: Domain, tmp_path: Path) -> None:
    save_domains(tmp_path, {"audio": domain})
    back = load_domains(tmp_path)["audio"]
    assert back.record == domain.record
    np.testing.assert_array_equal(back.loadings, domain.loadings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["domain.json", "domain.safetensors"]
    assert load_domains(tmp_path / "elsewhere") == {}


def test_damaged_files_are_refused(domain: Domain, tmp_path: Path) -> None:
    save_domains(tmp_path, {"audio": domain})
    data = (tmp_path / "domain.safetensors").read_bytes()
    (tmp_path / "domain.safetensors").write_bytes(data[:-1])
    with pytest.raises(ConfigError, match=r"domain.safetensors is not the file that it describes"):
        load_domains(tmp_path)
    (tmp_path / "domain.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"domain.json cannot be used: this is not _File JSON"):
        load_domains(tmp_path)
