namespace Handbook.Recipes.Tests;

public sealed class SweepGridTests
{
    [Fact]
    public void Of_ListsOfValues_GivesEveryCombination()
    {
        var points = SweepGrid.Of(["recipe.yaml", "--loss_type=sigmoid,ipo", "--seed=3", "--beta", "0.1,0.5"]);

        Assert.Equal(["loss_type-sigmoid_beta-0.1", "loss_type-sigmoid_beta-0.5", "loss_type-ipo_beta-0.1", "loss_type-ipo_beta-0.5"],
            points.Select(point => point.Name));
        Assert.Equal(["recipe.yaml", "--loss_type=ipo", "--seed=3", "--beta=0.1"], points[2].Arguments);
    }

    [Fact]
    public void Of_ListInBrackets_IsOneValue()
    {
        var points = SweepGrid.Of(["recipe.yaml", "--loss_type=[sigmoid,sft],ipo"]);

        Assert.Equal(["--loss_type=[sigmoid,sft]", "--loss_type=ipo"], points.Select(point => point.Arguments[1]));
    }

    [Fact]
    public void Of_NothingToVary_SaysHow()
    {
        var error = Assert.Throws<UserErrorException>(() => SweepGrid.Of(["recipe.yaml", "--beta=0.1"]));

        Assert.Contains("nothing to sweep over", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--run_name=a/b,a-b,a:b")]
    [InlineData("--model_name_or_path=out/sft,out-sft,./out/sft")]
    [InlineData("--loss_type=[sigmoid,sft],sigmoid-sft")]
    [InlineData("--run_name=a_seed-1,a --output_dir=1,1_seed-2")]
    public void Of_ValuesThatAFolderCannotHold_HaveAFolderEach(string words)
    {
        var points = SweepGrid.Of(["recipe.yaml", .. words.Split(' ')]);

        Assert.Equal(points.Count, points.Select(point => point.Name).Distinct().Count());
        Assert.All(points, point => Assert.DoesNotContain('/', point.Name));
    }

    [Fact]
    public void Of_LongValues_HaveNamesThatAFolderMayHave()
    {
        var points = SweepGrid.Of(["recipe.yaml", $"--run_name={new string('a', 300)},{new string('a', 300)}b"]);

        Assert.Equal(2, points.Select(point => point.Name).Distinct().Count());
        Assert.All(points, point => Assert.True(point.Name.Length < 100));
    }

    [Fact]
    public void Of_ValueListedTwice_IsRefused()
    {
        var error = Assert.Throws<UserErrorException>(() => SweepGrid.Of(["recipe.yaml", "--beta=0.1,0.5,0.1"]));

        Assert.Equal("command line: --beta lists 0.1 more than once; a sweep takes each value once.", error.Message);
    }
}
